import type { Command } from 'commander'
import type { ApiServerFlags } from '#cluster'
import { InvalidArgumentError, Option } from 'commander'
import { cluster, known, nameOption, outputOption, port, positive } from './options.ts'

/** What commander makes of the flags of `up`; those of the API server are handed on. */
interface UpFlags extends ApiServerFlags {
  name: string
  nodes?: number
  runtime?: 'containerd' | 'fake'
  store?: string
  compat?: '1.20'
  apiPort?: number
  range?: number
  encryptionProviderConfig?: string
  ingressPorts?: { http: number; https: number }
  wait: number
}

const portPair = (text: string): { http: number; https: number } => {
  const [http, https, ...more] = text.split(',').map((each) => port(each))
  if (http === undefined || https === undefined || more.length > 0 || http === https)
    throw new InvalidArgumentError('two ports are expected, such as 8080,8443')
  return { http, https }
}

/** `k8ts up`, `down`, `status` and what else is about a cluster as a whole. */
export function clusterCommands(program: Command): void {
  program
    .command('up')
    .description('make and start a cluster, or start what of it does not run')
    .addOption(nameOption())
    .addOption(new Option('--nodes <count>', 'number of nodes').argParser(positive))
    .addOption(new Option('--runtime <runtime>', 'what runs containers').choices(['containerd', 'fake']))
    .addOption(
      new Option('--store <store>', 'where objects are kept: sqlite, memory or etcd://HOST:PORT[,HOST:PORT…][/PREFIX][?ca=FILE&cert=FILE&key=FILE]'),
    )
    .addOption(new Option('--compat <release>', 'behave as clients and components of this release expect').choices(['1.20']))
    .addOption(new Option('--api-port <port>', 'port of the API server').argParser(port))
    .addOption(
      new Option('--ingress-ports <http,https>', 'ports of ingresses on 127.0.0.1; 80,443 or the first free ones when absent').argParser(portPair),
    )
    .addOption(new Option('--encryption-provider-config <file>', 'how values are kept encrypted: an EncryptionConfiguration of Kubernetes'))
    .addOption(new Option('--audit-policy-file <file>', 'what is recorded of requests: a Policy of audit.k8s.io/v1'))
    .addOption(new Option('--audit-log-path <file>', 'where audit events are logged; - is the log of the control plane'))
    .addOption(new Option('--audit-log-maxsize <megabytes>', 'how large the audit log gets before the next file is begun').argParser(positive))
    .addOption(new Option('--audit-log-maxbackup <count>', 'how many old audit logs are kept').argParser(positive))
    .addOption(new Option('--audit-log-maxage <days>', 'how long old audit logs are kept').argParser(positive))
    .addOption(new Option('--audit-log-compress', 'pack old audit logs'))
    .addOption(new Option('--audit-webhook-config-file <file>', 'where audit events are sent: a kubeconfig'))
    .addOption(new Option('--audit-webhook-batch-max-size <count>', 'how many audit events are sent at once').argParser(positive))
    .addOption(new Option('--audit-webhook-batch-max-wait <duration>', 'how long an audit event waits for more'))
    .addOption(
      new Option('--audit-webhook-batch-buffer-size <count>', 'how many audit events wait; what comes beyond is dropped').argParser(positive),
    )
    .addOption(new Option('--audit-webhook-batch-throttle-qps <count>', 'how many batches are sent a second').argParser(positive))
    .addOption(new Option('--audit-webhook-batch-throttle-burst <count>', 'how many batches may be sent at once').argParser(positive))
    .addOption(new Option('--audit-webhook-initial-backoff <duration>', 'how long to wait after a batch that was not taken'))
    .addOption(new Option('--admission-control-config-file <file>', 'what admission plugins are told: an AdmissionConfiguration of Kubernetes'))
    .addOption(new Option('--enable-admission-plugins <names>', 'admission plugins that are on beside the default ones, by commas'))
    .addOption(new Option('--disable-admission-plugins <names>', 'admission plugins that are off, by commas'))
    .addOption(new Option('--tracing-config-file <file>', 'where traces are sent: a TracingConfiguration of Kubernetes'))
    .addOption(new Option('--shutdown-delay-duration <duration>', 'how long the API server goes on serving when it is asked to stop'))
    .addOption(new Option('--range <number>', 'which slice of private addresses the cluster gets; a free one when absent').argParser(positive))
    .addOption(new Option('--wait <seconds>', 'how long to wait for a node').argParser(positive).default(120))
    .action(async (flags: UpFlags) => {
      const { up, explainNext } = await cluster()
      const { name, nodes, runtime, store, compat, apiPort, range, encryptionProviderConfig, ingressPorts, wait, ...apiServer } = flags
      console.log(
        explainNext(
          await up({ name, nodes, runtime, store, compat, apiPort, range, encryptionProviderConfig, ingressPorts, apiServer, waitSeconds: wait }),
        ),
      )
    })

  program
    .command('down')
    .description('remove a cluster and everything it owns')
    .addOption(nameOption())
    .action(async ({ name }: { name: string }) => {
      const { down } = await cluster()
      if (!(await down(name))) console.log(`there is no cluster ${name}`)
    })

  program
    .command('stop')
    .description('end all that runs of a cluster; its objects, volumes and images stay')
    .addOption(nameOption())
    .action(async ({ name }: { name: string }) => {
      const { stop } = await cluster()
      await known(name)
      await stop(name)
    })

  program
    .command('start')
    .description('start a cluster that was stopped')
    .addOption(nameOption())
    .action(async ({ name }: { name: string }) => {
      await known(name)
      const { up, explainNext } = await cluster()
      console.log(explainNext(await up({ name, waitSeconds: 120 })))
    })

  program
    .command('status')
    .description('what runs')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output: string }) => {
      const { clusterStatus, describeStatus } = await cluster()
      const status = await clusterStatus(await known(name))
      console.log(output === 'json' ? JSON.stringify(status, undefined, 2) : describeStatus(status))
      if (status.state !== 'running') process.exitCode = 1
    })

  program
    .command('kubeconfig')
    .description('print the kubeconfig of the cluster')
    .addOption(nameOption())
    .action(async ({ name }: { name: string }) => {
      const { clusterPaths } = await cluster()
      const { readFile } = await import('node:fs/promises')
      await known(name)
      process.stdout.write(await readFile(clusterPaths(name).kubeconfig, 'utf8'))
    })

  program
    .command('logs')
    .description('print the logs of the cluster’s own processes (of a pod: kubectl logs)')
    .argument('[of]', 'a component or a node; everything when absent')
    .addOption(nameOption())
    .option('-f, --follow', 'go on printing', false)
    .addOption(new Option('-n, --lines <count>', 'how many lines back').argParser(positive).default(100))
    .action(async (of: string | undefined, { name, follow, lines }: { name: string; follow: boolean; lines: number }) => {
      const { printLogs } = await cluster()
      await printLogs(await known(name), { ...(of === undefined ? {} : { of }), follow, lines })
    })

  program
    .command('doctor')
    .description('check what a cluster needs of this machine')
    .action(async () => {
      const { diagnose } = await cluster()
      const findings = await diagnose()
      for (const { ok, what, advice } of findings) console.log(`${ok ? 'ok     ' : 'missing'}  ${what}${ok ? '' : ` — ${advice}`}`)
      if (findings.some((f) => !f.ok)) process.exitCode = 1
    })
}
