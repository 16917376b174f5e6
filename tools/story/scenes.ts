import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../../test/e2e/cluster.ts'
import { lookAtMachine } from '../../test/e2e/machine.ts'
import { request } from '../../test/e2e/requests.ts'
import type { Companion, Scene } from './play.ts'
import type { Stage } from './stage.ts'
import { k8ts, kubectl, kubectlJson, page, printed, releaseOf, site, siteOptions, visitor } from './stage.ts'

/** How the tutorial calls the registry; another port is put in its place where that one is taken. */
export const registryInTutorial = 'localhost:5000'

/** What must hold in each chapter of docs/tutorial.md, by its heading. */
export const scenes: Record<string, Scene> = {
  'A cluster': {
    async check(stage) {
      assert.match(printed(stage, 'kubectl get nodes'), /^node-1 +Ready /m)
      stage.tell('the node is ready')
    },
  },

  'The application': {
    async check() {},
  },

  'A registry, and images': {
    async after(stage, command) {
      if (command === 'k8ts registry up') await nameRegistry(stage)
    },
    async check(stage) {
      const listed = printed(stage, 'k8ts registry list')
      for (const image of ['rails:6.1', 'blog:1', 'mariadb:10.11', 'database-proxy:1'])
        assert.match(listed, new RegExp(`^localhost:\\d+/${image}\\t`, 'm'))
      stage.tell('four images are in the registry')
    },
  },

  Secrets: {
    async check(stage) {
      assert.match(printed(stage, 'kubectl get secrets'), /blog-database +Opaque +2[^]*blog-env +Opaque +1/)
    },
  },

  'The database': {
    async check(stage) {
      const shown = printed(stage, 'kubectl get pods,persistentvolumeclaims')
      assert.match(shown, /^pod\/mariadb-0 +2\/2 +Running /m)
      assert.equal(shown.match(/^persistentvolumeclaim\/\S+ +Bound /gm)?.length, 2)
      stage.tell('the database and its backup sidecar run, each on a volume of its own')
    },
  },

  'The migration': {
    async check(stage) {
      assert.match(printed(stage, 'kubectl logs job/rake-tasks'), /CreateArticles: migrated/)
      stage.tell('the tables are there')
    },
  },

  'The deployment': {
    async check(stage) {
      assert.equal(printed(stage, 'kubectl get pods --selector app=blog').match(/^blog-\S+ +2\/2 +Running +0 /gm)?.length, 2)
      assert.match(printed(stage, 'kubectl get pods --selector app=blog --watch'), / 2\/2 +Running/)
      stage.tell('two pods, READY 2/2')
    },
  },

  'An address and a domain': {
    async check(stage) {
      const address = printed(stage, 'k8ts address create').trim()
      assert.match(printed(stage, 'kubectl get ingress --watch'), new RegExp(` ${address.replaceAll('.', '\\.')} +80, 443 `))
      assert.match(printed(stage, 'curl '), /<h2><a href="\/articles\/1">Hello<\/a><\/h2>/)
      assert.equal(releaseOf(printed(stage, 'curl ')), '1')
      const options = await siteOptions(stage)
      assert.equal(options.address, address)
      await assert.rejects(request(`${site}/articles`, { address }), /self-signed certificate/, 'the certificate is the one of the Secret')
      assert.equal(await request(`${site}/readyz`, options), 'ok\n')
      stage.tell(`the page is served at ${address} with the domain's certificate`)
      await writeArticle(stage, 'Written by a visitor')
      assert.match(await page(stage), /Written by a visitor/)
      stage.tell('a visitor has written an article')
    },
  },

  Load: {
    onlyInFull: true,
    async check(stage) {
      assert.match(printed(stage, 'kubectl get hpa blog --watch'), /cpu: (6[1-9]|[7-9]\d|\d{3,})%\/60% +2 +4 +\d /)
      stage.tell('the autoscaler answered the load with more pods')
      await kubectl(stage, 'wait', '--for=jsonpath={.status.replicas}=2', 'deployment/blog', '--timeout=180s')
      stage.tell('and took them away when it ended')
    },
  },

  'The pipeline': {
    async check(stage) {
      stage.deployed = await deployment(stage)
    },
  },

  'A push to master': {
    onlyInFull: true,
    async check(stage) {
      assert.match(printed(stage, 'git push k8ts master'), /Pipeline #1\b|pipeline/i)
      assert.match(printed(stage, 'k8ts ci logs --follow'), /16 runs, 38 assertions, 0 failures/)
      assert.deepEqual(await jobsOf(stage, 'master'), ['test Succeeded'])
      assert.equal(await deployment(stage), stage.deployed)
      stage.tell('the tests ran, and nothing was deployed')
    },
  },

  'A push to production': {
    during: steadyVisitor,
    async check(stage) {
      const commit = await head(stage)
      assert.deepEqual(await jobsOf(stage, 'production'), ['deploy Succeeded', 'test Succeeded'])
      stage.deployed = await deployment(stage)
      assert.match(stage.deployed, new RegExp(`/blog:${commit}$`))
      const shown = await page(stage)
      assert.match(shown, /<h1><a href="\/articles">The blog of the team</)
      assert.equal(releaseOf(shown), commit)
      assert.match(await slack(stage), new RegExp(`^{"text": "The new release of the blog is live: production ${commit.slice(0, 7)}, `, 'm'))
      stage.tell('the page is of the pushed commit, and Slack was told')
    },
  },

  'A release that does not get ready': {
    during: steadyVisitor,
    async check(stage) {
      const commit = await head(stage)
      assert.deepEqual(await jobsOf(stage, 'production'), ['deploy Failed', 'test Succeeded'])
      assert.match(printed(stage, 'k8ts ci logs --follow'), /does not get ready: back to the one before/)
      assert.equal(await deployment(stage), stage.deployed, 'the image of the release before')
      assert.notEqual(releaseOf(await page(stage)), commit)
      assert.match(await slack(stage), new RegExp(`^{"text": "The release failed and is not live: production ${commit.slice(0, 7)}, `, 'm'))
      stage.tell('the pipeline took the release back, and Slack was told')
    },
  },

  'A test that fails': {
    during: steadyVisitor,
    async check(stage) {
      const commit = await head(stage)
      assert.deepEqual(await jobsOf(stage, 'production'), ['deploy NotRun', 'test Failed'])
      assert.match(printed(stage, 'k8ts ci logs'), /ArticleTest#test_the_newest_article_comes_first/)
      assert.equal(await deployment(stage), stage.deployed)
      assert.match(await slack(stage), new RegExp(`^{"text": "The tests failed: production ${commit.slice(0, 7)}, `, 'm'))
      assert.doesNotMatch(stage.played.map(({ output }) => output).join(''), /of-the-team/, 'the webhook is in no log')
      stage.tell('the failing test kept the release away')
    },
  },

  'The database is lost': {
    async check(stage) {
      assert.match(printed(stage, 'kubectl logs job/restore'), /^restored blog-\d{8}T\d{6}Z\.sql\.gz$/m)
      assert.match(printed(stage, 'curl '), /Written by a visitor[^]*>Hello</)
      stage.tell('every article is back')
    },
  },

  'The end': {
    async check(stage) {
      await assert.rejects(k8ts(stage, 'status'), /there is no cluster/)
      const left = Object.values(lookAtMachine()).flatMap((items) => [...items].filter((item) => namesCluster(item, stage.name)))
      assert.deepEqual(left, [])
      stage.tell('the cluster is gone, and nothing is left of it')
    },
  },
}

/** Whether what is found on the machine is called by the cluster's name: its control groups, directories and namespaces are. */
const namesCluster = (item: string, cluster: string): boolean =>
  item.split(/[/ ]/).some((part) => part === cluster || part.startsWith(`k8ts-${cluster}`))

/** Somebody reads the blog all the time: no request fails, whatever becomes of the release. */
async function steadyVisitor(stage: Stage): Promise<Companion> {
  const requests = await visitor(stage)
  await requests.more(10)
  return {
    async verdict() {
      await requests.more(20)
      assert.deepEqual(requests.failures, [])
      const answers = [...requests.answers].map(([release, count]) => `${count} of release ${release.slice(0, 7)}`)
      stage.tell(`a visitor without pause: every request was answered, ${answers.join(', ')}`)
    },
    [Symbol.asyncDispose]: () => requests[Symbol.asyncDispose](),
  }
}

/** The image that the Deployment asks for. */
const deployment = (stage: Stage): Promise<string> =>
  kubectl(stage, 'get', 'deployment', 'blog', '--output', 'jsonpath={.spec.template.spec.containers[0].image}')

const slack = (stage: Stage): Promise<string> => kubectl(stage, 'logs', 'slack')

const head = async (stage: Stage): Promise<string> => (await output('git', ['-C', join(stage.directory, 'blog'), 'rev-parse', 'HEAD'])).trim()

/** The jobs of the newest pipeline, which must be of this branch: their names and how they ended. */
async function jobsOf(stage: Stage, branch: string): Promise<string[]> {
  const { items } = await kubectlJson<{ items: Pipeline[] }>(stage, 'get', 'pipelines.ci.k8ts.dev')
  const newest = items.toSorted((a, b) => b.status.number - a.status.number)[0]!
  assert.equal(newest.spec.branch, branch)
  const selector = `ci.k8ts.dev/pipeline=${newest.metadata.name}`
  const workflows = await kubectlJson<{ items: Workflow[] }>(stage, 'get', 'workflows.ci.k8ts.dev', '--selector', selector)
  return workflows.items.flatMap(({ status }) => status.jobs.map(({ name, phase }) => `${name} ${phase}`)).toSorted()
}

interface Pipeline {
  metadata: { name: string }
  spec: { branch: string }
  status: { number: number }
}

interface Workflow {
  status: { jobs: { name: string; phase: string }[] }
}

/** The files of the blog name the registry where it is. */
async function nameRegistry(stage: Stage): Promise<void> {
  const found = /\blocalhost:\d+/.exec(printed(stage, 'k8ts registry up'))?.[0]
  assert.ok(found, 'the registry says its name')
  if (found === stage.registry) return
  const blog = join(stage.directory, 'blog')
  const files = await output('grep', ['--recursive', '--files-with-matches', stage.registry, blog])
  for (const file of files.trim().split('\n')) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(stage.registry, found))
  stage.registry = found
  stage.tell(`the registry is ${found} here: the blog's files name it so`)
}

/** Fills in the form as a browser does: with the page's token and the session's cookie. */
async function writeArticle(stage: Stage, title: string): Promise<void> {
  const { address } = await siteOptions(stage)
  const [certificate, cookies] = ['blog.crt', 'cookies'].map((file) => join(stage.directory, file)) as [string, string]
  const host = `blog.example.test:443:${address}`
  const fixed = ['--silent', '--show-error', '--fail', '--cacert', certificate, '--resolve', host, '--cookie', cookies, '--cookie-jar', cookies]
  const curl = (...args: string[]) => output('curl', [...fixed, ...args])
  const token = /name="authenticity_token" value="([^"]+)"/.exec(await curl(`${site}/articles/new`))?.[1]
  assert.ok(token, 'the form has a token')
  const fields = { authenticity_token: token, 'article[title]': title, 'article[description]': 'Over HTTPS.' }
  const data = Object.entries(fields).flatMap(([key, value]) => ['--data-urlencode', `${key}=${value}`])
  assert.match(await curl('--location', ...data, `${site}/articles`), /The article is published/)
}
