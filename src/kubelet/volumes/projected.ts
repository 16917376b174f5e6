import type { core, DeepReadonly } from '#api'
import type { PayloadFile } from './atomic-writer.ts'
import { configMapFiles } from './config-map.ts'
import { downwardAPIFiles } from './downward-api.ts'
import { commonUser } from './ownership.ts'
import { payloadPlugin } from './payload-plugin.ts'
import { secretFiles } from './secret.ts'

export const projectedPlugin = payloadPlugin({
  type: 'projected',
  supports: (volume) => volume.projected !== undefined,
  inMemory: true,
  async render(context) {
    const { sources = [], defaultMode = 0o644 } = context.volume.projected!
    const files = new Map<string, PayloadFile>()
    let renewAt: number | undefined
    for (const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } of sources) {
      const add = (list: [string, PayloadFile][]) => list.forEach(([path, file]) => files.set(path, file))
      if (configMap) add(await configMapFiles(context, configMap, defaultMode))
      else if (secret) add(await secretFiles(context, secret, defaultMode))
      else if (downwardAPI) add(downwardAPIFiles(context, (downwardAPI as DeepReadonly<core.DownwardAPIProjection>).items ?? [], defaultMode))
      else if (serviceAccountToken) {
        const issued = await context.tokens.token(context.pod, serviceAccountToken, context.signal)
        const uid = commonUser(context.pod)
        // a pod that runs as someone known gets a token that only this someone can read
        const mode = uid !== undefined || context.pod.spec.securityContext?.fsGroup !== undefined ? 0o600 : defaultMode
        files.set(serviceAccountToken.path, { data: Buffer.from(issued.token), mode, uid })
        renewAt = Math.min(renewAt ?? Infinity, issued.renewAt)
      } else if (clusterTrustBundle) throw new Error('clusterTrustBundle projections are not supported by this node')
      else if (podCertificate) throw new Error('podCertificate projections are not supported by this node')
    }
    return { files, renewAt }
  },
})
