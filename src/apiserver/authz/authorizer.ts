import type { RequestInfo } from '../request-info.ts'

/** `noOpinion` leaves the decision to the next authorizer; when nobody allows, the request is forbidden. */
export interface Decision {
  decision: 'allow' | 'deny' | 'noOpinion'
  reason: string
}

/** Decides on a request from memory: it is on the path of every request and must not wait. */
export interface Authorizer {
  authorize(request: RequestInfo): Decision
}
