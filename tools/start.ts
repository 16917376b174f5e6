// npm start: a one-node cluster with the sample app on it.
import { join } from 'node:path'
import type { core } from '#api'
import { resources } from '#api'
import type { OwnedClient } from '#cluster'
import { adminClient, contextName, loadCluster, steps, up } from '#cluster'
import { appDirectory, applyFile, buildApp, buildBaseImage, createSecrets, jobComplete, rolledOut, startDatabase } from './sample-app.ts'

const name = process.argv[2] ?? 'default'

try {
  await up({ name })
  const cluster = (await loadCluster(name))!
  await using admin: OwnedClient = await adminClient(name)
  const { client } = admin
  const shown: string[] = []
  await steps([
    { title: 'Base image (Node and its libraries)', task: (_, task) => buildBaseImage((line) => (task.output = line)) },
    { title: 'App image', task: (_, task) => buildApp(cluster, 'localhost/app:1', (line) => (task.output = line)) },
    { title: 'Database and secrets', task: async () => createSecrets(client, await startDatabase(cluster, client)) },
    {
      title: 'Migration (Job)',
      task: async () => {
        await applyFile(client, join(appDirectory, 'migrate-job.yaml'))
        await jobComplete(client, 'migrate', 120_000)
      },
    },
    {
      title: 'Deployment, Service, autoscaler',
      task: async () => {
        await applyFile(client, join(appDirectory, 'deployment.yaml'))
        await rolledOut(client, 'app', 180_000)
      },
    },
    {
      title: 'Requests through the Service',
      task: async () => {
        const service = await client.resource<core.Service>(resources.services).get('app', 'default')
        const url = `http://${service.spec.clusterIP}/`
        const pods = new Set<string>()
        let last = ''
        for (let i = 0; i < 30 && (i < 6 || pods.size < 2); i++) {
          const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) })
          last = await response.text()
          if (!response.ok) throw new Error(`${url} answered ${response.status}: ${last}`)
          pods.add((JSON.parse(last) as { pod: string }).pod)
        }
        if (pods.size < 2) throw new Error(`all requests reached one pod: ${[...pods].join()}`)
        shown.push(`  ${url} answers from ${pods.size} pods, e.g.`, `  ${last.trim()}`)
      },
    },
  ])
  const pods = await client.resource<core.Pod>(resources.pods).list({ namespace: 'default' })
  const rows = pods.items.map((pod) => {
    const statuses = pod.status?.containerStatuses ?? []
    return `  ${pod.metadata.name.padEnd(32)} ${`${statuses.filter((s) => s.ready).length}/${statuses.length}`.padEnd(6)} ${pod.status?.phase}`
  })
  const kubectl = `kubectl --context ${contextName(name)}`
  console.log(`
The sample app runs.
${rows.join('\n')}
${shown.join('\n')}

Next:
  ${kubectl} get pods,services,hpa
  ${kubectl} logs -f deployment/app -c app
  ${kubectl} set env deployment/app RELEASE=2 && ${kubectl} rollout status deployment/app
  ./k8ts status
  ./k8ts down`)
} catch (error) {
  console.error(`npm start: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
