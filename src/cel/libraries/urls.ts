import { type GoUrl, UrlError, checkUrl, parseUrl } from '../go/url.ts'
import type { Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, type Value } from '../values.ts'
import { estimates, estimatesReading, readsFirst } from './costs.ts'
import { listOf, mapOf } from '../values/collections.ts'

export const urlType = types.opaque('kubernetes.URL')

export class UrlValue extends Opaque {
  readonly type: CelType = urlType
  readonly url: GoUrl

  constructor(url: GoUrl) {
    super()
    this.url = url
  }

  override equals(other: Opaque): boolean {
    return other instanceof UrlValue && other.url.text === this.url.text
  }

  override toString(): string {
    return this.url.text
  }
}

function parse(text: string): UrlValue | CelError {
  try {
    return new UrlValue(parseUrl(text))
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return new CelError(`URL parse error during conversion from string: ${error.message}`)
  }
}

/** What is wrong with a text that should be a URL by itself, in the words of Go; undefined when nothing is. */
export function urlProblem(text: string): string | undefined {
  try {
    checkUrl(text)
    return undefined
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return error.message
  }
}

const accessor = (id: string, get: (url: GoUrl) => Value, result: CelType = types.string): Overload[] => [
  {
    id,
    parameters: [urlType],
    result,
    member: true,
    call: (value) => get((value as UrlValue).url),
    cost: () => 1,
    estimate: estimates(1),
  },
]

/** `kubernetes.urls`: URLs, as Go takes them apart. */
export const urls: Library = {
  name: 'kubernetes.urls',
  functions: {
    url: [
      {
        id: 'string_to_url',
        parameters: [types.string],
        result: urlType,
        call: (text) => parse(text as string),
        cost: readsFirst(),
        estimate: estimatesReading(1, true),
      },
    ],
    isURL: [{ id: 'is_url_string', parameters: [types.string], result: types.bool, call: (text) => urlProblem(text as string) === undefined }],
    getScheme: accessor('url_get_scheme', (url) => url.scheme),
    getHost: accessor('url_get_host', (url) => url.host),
    getHostname: accessor('url_get_hostname', (url) => url.hostname),
    getPort: accessor('url_get_port', (url) => url.port),
    getEscapedPath: accessor('url_get_escaped_path', (url) => url.escapedPath),
    getQuery: accessor(
      'url_get_query',
      ({ query }) => mapOf([...query].map(([key, values]) => [key, listOf(values)])),
      types.map(types.string, types.list(types.string)),
    ),
  },
}
