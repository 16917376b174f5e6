import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { CiSession, LogStyle } from '#ci'
import { cluster, known, outputOption, port, positive, progress } from './options.ts'

const commands = () => import('#ci')

interface Where {
  name?: string
  kubeconfig?: string
  namespace?: string
  project?: string
}

/** Flags that say which cluster, namespace and project are meant. */
function where(command: Command): Command {
  return command
    .addOption(new Option('--name <name>', 'the cluster; else the one that `init` was given in this working tree, or `default`').env('K8TS_NAME'))
    .option('--kubeconfig <file>', 'a cluster elsewhere, by its kubeconfig')
    .option('-n, --namespace <namespace>', 'namespace of the project; else the one of this working tree, or `default`')
}

const project = (command: Command): Command => where(command).option('-p, --project <project>', 'the project; else the one of this working tree')

const collect = (one: string, all: string[]): string[] => [...all, one]

/** Runs with a session on the cluster that is meant, and closes it afterwards. */
async function session<T>(flags: Where, use: (session: CiSession) => Promise<T>): Promise<T> {
  const { treeSettings } = await commands()
  const tree = await treeSettings(process.cwd())
  const { kubeconfig } = flags
  const name = flags.name ?? tree.cluster ?? 'default'
  const namespace = flags.namespace ?? tree.namespace ?? 'default'
  const { clientFrom, clusterPaths } = await cluster()
  const { parseKubeconfig, resolveContext } = await import('#client')
  const { readFile } = await import('node:fs/promises')
  if (!kubeconfig) await known(name)
  const file = kubeconfig ?? clusterPaths(name).kubeconfig
  await using owned = await clientFrom(file, 'k8ts-ci')
  const { transport: connection } = await resolveContext(parseKubeconfig(await readFile(file, 'utf8')))
  const stop = new AbortController()
  const interrupt = () => stop.abort(new Interrupted())
  process.once('SIGINT', interrupt)
  try {
    return await use({
      client: owned.client,
      connection,
      namespace,
      // another namespace has other projects
      ...(tree.project && namespace === tree.namespace ? { project: tree.project } : {}),
      directory: process.cwd(),
      print: (text) => void process.stdout.write(text),
      say: (text) => void process.stderr.write(text),
      style: await style(),
      signal: stop.signal,
    })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    process.exitCode = 130
    return undefined as T
  } finally {
    process.off('SIGINT', interrupt)
  }
}

class Interrupted extends Error {}

async function style(): Promise<LogStyle> {
  const { default: colours } = await import('picocolors')
  const on = colours.createColors(Boolean(process.stdout.isTTY) && colours.isColorSupported)
  return { heading: on.bold, failure: on.red, success: on.green, faint: on.dim }
}

const json = (value: unknown) => console.log(JSON.stringify(value, undefined, 2))

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('value, then Ctrl-D: ')
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk as string
  return text
}

/** `k8ts ci`: pipelines. */
export function ciCommands(program: Command): void {
  const ci = program.command('ci').description('pipelines: CircleCI’s configuration, run by the cluster')
  initCommand(ci)
  validateCommand(ci)
  runCommands(ci)
  lookCommands(ci)
  controlCommands(ci)
  environmentCommands(ci)
  contextCommands(ci)
  tokenCommands(ci)
}

function initCommand(ci: Command): void {
  project(ci.command('init').description('make this git working tree a project: its remote, its token, and a first configuration'))
    .option('--repository <url>', 'the repository lives on another host: its webhooks start pipelines')
    .addOption(new Option('--port <port>', 'port of the CI service').argParser(port))
    .option('--tool-image <image>', 'image of agents and of `machine` jobs')
    .addOption(outputOption())
    .action(async (flags: Where & { repository?: string; port?: number; toolImage?: string; output: string }) => {
      const { enableCi } = await cluster()
      const { initProject, explainInit, currentBranch, topOfTree, treeSettings } = await commands()
      const top = await topOfTree(process.cwd())
      if (!top) throw new Error('this is no git working tree: run `git init` first')
      const name = flags.name ?? (await treeSettings(top)).cluster ?? 'default'
      if (!flags.kubeconfig) {
        await known(name)
        await enableCi(name, {
          ...(flags.port === undefined ? {} : { port: flags.port }),
          ...(flags.toolImage === undefined ? {} : { toolImage: flags.toolImage }),
          report: (await progress()).report!,
        })
      }
      await session({ ...flags, name }, async (s) => {
        const result = await initProject(s, {
          ...(flags.kubeconfig ? {} : { cluster: name }),
          ...(flags.project ? { project: flags.project } : {}),
          ...(flags.repository ? { repository: flags.repository } : {}),
        })
        if (flags.output === 'json') json(result)
        else console.log(explainInit(result, await currentBranch(top)))
      })
    })
}

function validateCommand(ci: Command): void {
  ci.command('validate')
    .description('check a configuration: all that is wrong, with line and column')
    .argument('[file]', 'the configuration; .circleci/config.yml of this working tree when absent')
    .option('--process', 'print what it means, once parameters, commands and matrices are worked out')
    .option('--branch <branch>', 'as a pipeline of this branch', 'main')
    .option('--tag <tag>', 'as a pipeline of this tag')
    .option('--parameter <name=value>', 'a parameter of the pipeline; may be given several times', collect, [])
    .addOption(outputOption())
    .action(async (file: string | undefined, flags: { process?: boolean; branch: string; tag?: string; parameter: string[]; output: string }) => {
      const { validateConfig, describeProblem, parseParameters, topOfTree } = await commands()
      const directory = process.cwd()
      const path = file ? resolve(directory, file) : join((await topOfTree(directory)) ?? directory, '.circleci/config.yml')
      const result = await validateConfig({
        directory,
        file: path,
        branch: flags.branch,
        ...(flags.tag ? { tag: flags.tag } : {}),
        parameters: parseParameters(flags.parameter),
      })
      if (!result.ok) process.exitCode = 1
      if (flags.output === 'json') return json(result)
      for (const problem of result.ok ? result.warnings : result.problems) console.error(`${result.ok ? 'warning: ' : ''}${describeProblem(problem)}`)
      if (!result.ok) return
      if (flags.process) process.stdout.write((await import('yaml')).stringify(result.config))
      else console.log(`${file ?? join('.circleci', 'config.yml')} is valid`)
    })
}

function runCommands(ci: Command): void {
  project(ci.command('run').description('start a pipeline'))
    .option('--local', 'of the working tree as it is, committed or not')
    .option('--branch <branch>', 'of this branch; the default branch when absent')
    .option('--tag <tag>', 'of this tag')
    .option('--workflow <name>', 'this workflow alone')
    .option('--parameter <name=value>', 'a parameter of the pipeline; may be given several times', collect, [])
    .option('-f, --follow', 'print its log, and exit as it ends')
    .addOption(outputOption())
    .action(
      async (
        flags: Where & { local?: boolean; branch?: string; tag?: string; workflow?: string; parameter: string[]; follow?: boolean; output: string },
      ) => {
        const { describeEnd, exitCodeOf, findProject, parseParameters, printLogs, startPipeline } = await commands()
        const parameters = parseParameters(flags.parameter)
        await session(flags, async (s) => {
          const found = await findProject(s, flags.project)
          const { local, branch, tag, workflow } = flags
          const pipeline = await startPipeline(s, found, {
            parameters,
            ...(local ? { local } : {}),
            ...(branch ? { branch } : {}),
            ...(tag ? { tag } : {}),
            ...(workflow ? { workflow } : {}),
          })
          const handle = pipeline.status?.number ? String(pipeline.status.number) : pipeline.metadata.name
          if (flags.output === 'json' && !flags.follow) return json(pipeline)
          const say = flags.output === 'json' ? s.say : s.print
          say(`pipeline #${handle} of ${found.metadata.name}\n`)
          if (!flags.follow) return say(`  k8ts ci logs -f ${handle}\n`)
          const quiet = flags.output === 'json' ? { ...s, print: s.say } : s
          const view = await printLogs(quiet, { project: found, reference: pipeline.metadata.name, follow: true, failed: false })
          if (view && flags.output === 'json') json(view.pipeline)
          else if (view) console.log(`\n${describeEnd(view, s.style)}`)
          process.exitCode = exitCodeOf(view)
        })
      },
    )

  project(ci.command('rerun').description('run the workflows of a pipeline again'))
    .argument('[pipeline]', 'number or name; the newest when absent')
    .option('--from-failed', 'only what failed and what depends on it')
    .option('--workflow <name>', 'this workflow alone')
    .option('-f, --follow', 'print its log, and exit as it ends')
    .addOption(outputOption())
    .action(async (reference: string | undefined, flags: Where & { fromFailed?: boolean; workflow?: string; follow?: boolean; output: string }) => {
      const { describeEnd, exitCodeOf, findPipeline, findProject, followRerun, rerunPipeline } = await commands()
      await session(flags, async (s) => {
        const found = await findProject(s, flags.project)
        const pipeline = await findPipeline(s, found, reference)
        const runs = await rerunPipeline(s, pipeline, {
          fromFailed: flags.fromFailed ?? false,
          ...(flags.workflow ? { workflow: flags.workflow } : {}),
        })
        if (flags.output === 'json' && !flags.follow) return json(runs)
        s.say(`runs again: ${runs.map((run) => run.spec.workflow).join(', ')} of pipeline #${pipeline.status?.number}\n`)
        if (!flags.follow) return
        const view = await followRerun(s, found, pipeline, runs)
        if (view && flags.output === 'json') json(view.pipeline)
        else if (view) console.log(`\n${describeEnd(view, s.style)}`)
        process.exitCode = exitCodeOf(view)
      })
    })
}

function lookCommands(ci: Command): void {
  project(ci.command('list').description('list pipelines, the newest first'))
    .option('--branch <branch>', 'of this branch')
    .addOption(new Option('--limit <count>', 'how many').argParser(positive).default(20))
    .addOption(outputOption())
    .action(async (flags: Where & { branch?: string; limit: number; output: string }) => {
      const { findProject, pipelineTable, pipelinesOf } = await commands()
      await session(flags, async (s) => {
        const all = await pipelinesOf(s, await findProject(s, flags.project))
        const shown = all.filter((each) => flags.branch === undefined || each.spec.branch === flags.branch).slice(0, flags.limit)
        if (flags.output === 'json') return json(shown)
        if (shown.length === 0) s.say('no pipelines yet\n')
        else s.print(pipelineTable(shown, Date.now()))
      })
    })

  for (const [command, description] of [
    ['show', 'how a pipeline stands: its workflows, jobs, and what failed where'],
    ['status', 'the same as show'],
  ] as const)
    project(ci.command(command, { hidden: command === 'status' }).description(description))
      .argument('[pipeline]', 'number or name; the newest when absent')
      .addOption(outputOption())
      .action(async (reference: string | undefined, flags: Where & { output: string }) => {
        const { describePipeline, findPipeline, findProject, viewPipeline } = await commands()
        await session(flags, async (s) => {
          const pipeline = await findPipeline(s, await findProject(s, flags.project), reference)
          const view = await viewPipeline(s.client, pipeline.metadata.namespace!, pipeline.metadata.name)
          if (!view) throw new Error(`pipeline ${pipeline.metadata.name} is gone`)
          if (flags.output === 'json') json({ pipeline: view.pipeline, workflows: view.workflows, jobs: view.jobs })
          else s.print(describePipeline(view, s.style))
        })
      })

  project(ci.command('logs').description('print the failing step of the newest pipeline, or the logs of a pipeline or a job'))
    .argument('[pipeline|job]', 'number or name of a pipeline, or a job of the newest one')
    .option('-f, --follow', 'go on printing until the pipeline ends, and exit as it ends')
    .option('--failed', 'only the step that failed')
    .option('--job <job>', 'only this job of the pipeline')
    .action(async (reference: string | undefined, flags: Where & { follow?: boolean; failed?: boolean; job?: string }) => {
      const { describeEnd, exitCodeOf, findProject, printLogs } = await commands()
      await session(flags, async (s) => {
        const follow = flags.follow ?? false
        const view = await printLogs(s, {
          project: await findProject(s, flags.project),
          ...(reference === undefined ? {} : { reference }),
          ...(flags.job === undefined ? {} : { job: flags.job }),
          follow,
          failed: flags.failed ?? false,
        })
        if (!follow) return
        if (view) s.say(`\n${describeEnd(view, s.style)}\n`)
        process.exitCode = exitCodeOf(view)
      })
    })
}

function controlCommands(ci: Command): void {
  project(ci.command('cancel').description('end a pipeline'))
    .argument('[pipeline]', 'number or name; the newest that runs when absent')
    .action(async (reference: string | undefined, flags: Where) => {
      const { cancelPipeline, findPipeline, findProject, isEnded } = await commands()
      await session(flags, async (s) => {
        const pipeline = await findPipeline(s, await findProject(s, flags.project), reference, {
          fits: (each) => !isEnded(each),
          none: 'has no pipeline that runs',
        })
        const done = await cancelPipeline(s, pipeline)
        console.log(`pipeline #${pipeline.status?.number ?? pipeline.metadata.name} ${done ? 'is being canceled' : 'had ended before'}`)
      })
    })

  project(ci.command('approve').description('let a pipeline that waits for an approval go on'))
    .argument('[pipeline]', 'number or name; the newest that waits when absent')
    .argument('[job]', 'the approval; the only one that waits when absent')
    .action(async (reference: string | undefined, job: string | undefined, flags: Where) => {
      const { approve, findPipeline, findProject } = await commands()
      await session(flags, async (s) => {
        const pipeline = await findPipeline(s, await findProject(s, flags.project), reference, {
          fits: (each) => each.status?.phase === 'OnHold',
          none: 'has no pipeline that waits for an approval',
        })
        const approved = await approve(s, pipeline, job)
        console.log(`approved: ${approved.spec.job} of pipeline #${pipeline.status?.number}`)
      })
    })
}

function environmentCommands(ci: Command): void {
  const env = ci.command('env').description('variables that all jobs of a project get; their values are not shown again')
  project(env.command('list').description('list the variables, with their values masked'))
    .addOption(outputOption())
    .action(async (flags: Where & { output: string }) => {
      const { findProject, listEnvironment, table } = await commands()
      await session(flags, async (s) => {
        const variables = await listEnvironment(s, await findProject(s, flags.project))
        if (flags.output === 'json') return json(variables)
        s.print(
          table(
            ['NAME', 'VALUE'],
            variables.map((each) => [each.name, each.masked]),
          ),
        )
      })
    })
  project(env.command('set').description('set variables: NAME=VALUE, or NAME with the value on standard input'))
    .argument('<name[=value]...>')
    .action(async (given: string[], flags: Where) => {
      const { findProject, parseAssignments, setEnvironment } = await commands()
      const values = await parseAssignments(given, standardInput)
      await session(flags, async (s) => setEnvironment(s, await findProject(s, flags.project), values))
      console.log(`set ${Object.keys(values).join(', ')}`)
    })
  project(env.command('unset').description('remove variables'))
    .argument('<name...>')
    .action(async (names: string[], flags: Where) => {
      const { findProject, unsetEnvironment } = await commands()
      await session(flags, async (s) => unsetEnvironment(s, await findProject(s, flags.project), names))
      console.log(`removed ${names.join(', ')}`)
    })
}

function contextCommands(ci: Command): void {
  const context = ci.command('context').description('variables that jobs ask for by the name of a context')
  where(context.command('create').description('make a context'))
    .argument('<context>')
    .action(async (name: string, flags: Where) => {
      const { createContextSecret } = await commands()
      await session(flags, async (s) => void (await createContextSecret(s, name)))
      console.log(`context ${name} made; next: k8ts ci context set ${JSON.stringify(name)} NAME`)
    })
  where(context.command('list').description('list contexts and their variables, with the values masked'))
    .addOption(outputOption())
    .action(async (flags: Where & { output: string }) => {
      const { listContexts, table } = await commands()
      await session(flags, async (s) => {
        const contexts = await listContexts(s)
        if (flags.output === 'json') return json(contexts)
        s.print(
          table(
            ['CONTEXT', 'VARIABLES'],
            contexts.map((each) => [each.name, each.variables.map((v) => `${v.name}=${v.masked}`).join(' ')]),
          ),
        )
      })
    })
  where(context.command('set').description('set variables of a context: NAME=VALUE, or NAME with the value on standard input'))
    .argument('<context>')
    .argument('<name[=value]...>')
    .action(async (name: string, given: string[], flags: Where) => {
      const { parseAssignments, setContext } = await commands()
      const values = await parseAssignments(given, standardInput)
      await session(flags, (s) => setContext(s, name, values))
      console.log(`set ${Object.keys(values).join(', ')} of ${name}`)
    })
  where(context.command('unset').description('remove variables of a context'))
    .argument('<context>')
    .argument('<name...>')
    .action(async (name: string, names: string[], flags: Where) => {
      const { unsetContext } = await commands()
      await session(flags, (s) => unsetContext(s, name, names))
      console.log(`removed ${names.join(', ')} of ${name}`)
    })
  where(context.command('delete').description('remove a context and its variables'))
    .argument('<context>')
    .action(async (name: string, flags: Where) => {
      const { deleteContext } = await commands()
      await session(flags, (s) => deleteContext(s, name))
      console.log(`context ${name} removed`)
    })
}

const scope = (text: string): 'read' | 'push' => {
  if (text !== 'read' && text !== 'push') throw new InvalidArgumentError('read or push is expected')
  return text
}

function tokenCommands(ci: Command): void {
  const token = ci.command('token').description('tokens of a project’s repository; a password for git, with any user name')
  project(token.command('create').description('make a token; it is shown this once'))
    .addOption(new Option('--scope <scope>', 'what it is good for: read, or push, which reads too').argParser(scope).default('push'))
    .option('--actor <name>', 'who acts when it is used; the user when absent')
    .addOption(outputOption())
    .action(async (flags: Where & { scope: 'read' | 'push'; actor?: string; output: string }) => {
      const { createTokenStore, findProject } = await commands()
      const { userInfo } = await import('node:os')
      await session(flags, async (s) => {
        const { metadata, apiVersion, kind } = await findProject(s, flags.project)
        const made = await createTokenStore({ client: s.client }).create(
          { namespace: metadata.namespace!, name: metadata.name },
          {
            actor: flags.actor ?? userInfo().username,
            scopes: flags.scope === 'push' ? ['read', 'push'] : ['read'],
            owner: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid! }],
          },
        )
        if (flags.output === 'json') json(made)
        else console.log(made.token)
      })
    })
  project(token.command('list').description('list tokens, without what they are'))
    .addOption(outputOption())
    .action(async (flags: Where & { output: string }) => {
      const { createTokenStore, findProject, table } = await commands()
      await session(flags, async (s) => {
        const { metadata } = await findProject(s, flags.project)
        const all = await createTokenStore({ client: s.client }).list({ namespace: metadata.namespace!, name: metadata.name })
        if (flags.output === 'json') return json(all)
        s.print(
          table(
            ['ID', 'ACTOR', 'SCOPES', 'CREATED'],
            all.map((each) => [each.id, each.actor, each.scopes.join(','), each.created]),
          ),
        )
      })
    })
  project(token.command('revoke').description('make a token good for nothing'))
    .argument('<id>')
    .action(async (id: string, flags: Where) => {
      const { createTokenStore, findProject } = await commands()
      await session(flags, async (s) => {
        const { metadata } = await findProject(s, flags.project)
        const done = await createTokenStore({ client: s.client }).revoke({ namespace: metadata.namespace!, name: metadata.name }, id)
        if (!done) throw new Error(`the project ${metadata.name} has no token ${id}: \`k8ts ci token list\` shows them`)
        console.log(`token ${id} revoked`)
      })
    })
}
