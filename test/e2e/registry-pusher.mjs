// In a pod: pushes an image of one layer by the registry's own protocol, as build tools do, with the cluster's CA and mounted credentials. Arguments: address, name, tag.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'

const [address, name, tag] = process.argv.slice(2)
const ca = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/ca.crt')
const { auth } = JSON.parse(readFileSync('/credentials/.dockerconfigjson', 'utf8')).auths[address]

function ask(method, url, body, type = 'application/octet-stream') {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Basic ${auth}`, ...(body ? { 'content-type': type, 'content-length': body.length } : {}) }
    const asked = request(new URL(url, `https://${address}`), { method, ca, headers }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode < 300 ? resolve(response.headers) : reject(new Error(`${method} ${url}: ${response.statusCode}`)),
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function blob(content) {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  const { location } = await ask('POST', `/v2/${name}/blobs/uploads/`)
  await ask('PUT', `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`, content)
  return { digest, size: content.length }
}

const layer = await blob(randomBytes(1024))
const config = await blob(
  Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } })),
)
const type = 'application/vnd.oci.image.manifest.v1+json'
const manifest = {
  schemaVersion: 2,
  mediaType: type,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
}
await ask('PUT', `/v2/${name}/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), type)
console.log(`pushed ${name}:${tag}`)
