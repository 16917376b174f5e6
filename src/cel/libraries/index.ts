import type { Library } from '../library.ts'
import { authz, authzSelectors } from './authz.ts'
import { cidr } from './cidr.ts'
import { comprehensions } from './comprehensions.ts'
import { format } from './format.ts'
import { ip } from './ip.ts'
import { listShapes } from './list-shapes.ts'
import { lists } from './lists.ts'
import { optionals } from './optionals.ts'
import { quantity } from './quantity.ts'
import { regex } from './regex.ts'
import { semver } from './semver.ts'
import { sets } from './sets.ts'
import { strings } from './strings.ts'
import { urls } from './urls.ts'

/**
 * What every expression of Kubernetes 1.36 may use besides the standard functions (the base environment of
 * apiserver/pkg/cel/environment), in upstream's order.
 */
export const kubernetesLibraries: readonly Library[] = [
  urls,
  regex,
  lists,
  authz,
  optionals,
  quantity,
  strings,
  sets,
  ip,
  cidr,
  format,
  authzSelectors,
  comprehensions,
  semver,
  listShapes,
]

export {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  type AuthorizationSubject,
  type Authorize,
  AuthorizerValue,
  type CheckedResource,
  type CheckedSelector,
  ResourceCheckValue,
  authorizerType,
  resourceCheckType,
} from './authz.ts'
export { CidrValue, cidrType } from './cidr.ts'
export { IpValue, ipType } from './ip.ts'
export { jsonPatch } from './jsonpatch.ts'
export { QuantityValue, quantityOf, quantityType } from './quantity.ts'
export { SemverValue, parseSemver, semverType } from './semver.ts'
export { UrlValue, urlType } from './urls.ts'
