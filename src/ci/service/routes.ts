import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * One address of the service. `path` is literal but for `:name` (one segment, decoded, never empty, `.` or `..`) and a last `*` (the rest, decoded by segments,
 * in `parameters['*']`): `/git/:namespace/:repository/*`. The first route that fits answers. What a handler throws becomes a 500 without its text, a
 * `RouteError` its own code and message.
 */
export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | '*'
  path: string
  handle(exchange: Exchange): Promise<void> | void
}

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  parameters: Record<string, string>
}

/** An answer that is not 200: said to the client as JSON `{"message": …}`. */
export class RouteError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'RouteError'
    this.code = code
  }
}

/** Finds the route of a request; undefined when none fits, `'method'` when only the method does not. */
export function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; parameters: Record<string, string> } | 'method' | undefined {
  let other = false
  for (const route of routes) {
    const parameters = matchPath(route.path, path)
    if (!parameters) continue
    if (route.method === '*' || route.method === method) return { route, parameters }
    other = true
  }
  return other ? 'method' : undefined
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  const parameters: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    if (part === '*') {
      const rest = given.slice(i).map(segment)
      if (rest.some((s) => s === undefined)) return undefined
      parameters['*'] = rest.join('/')
      return parameters
    }
    if (part.startsWith(':')) {
      const value = given[i] === undefined ? undefined : segment(given[i])
      if (value === undefined) return undefined
      parameters[part.slice(1)] = value
    } else if (part !== given[i]) return undefined
  }
  return wanted.length === given.length ? parameters : undefined
}

/** A decoded segment; undefined for what could lead out of a directory or is no text. */
function segment(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text)
    return value === '' || value === '.' || value === '..' || /[/\\\0]/.test(value) ? undefined : value
  } catch {
    return undefined
  }
}
