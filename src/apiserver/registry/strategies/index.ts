import type { ResourceStrategy } from '../strategy.ts'
import {
  controllerRevisionStrategy,
  daemonSetStrategy,
  deploymentStrategy,
  podTemplateStrategy,
  replicaSetStrategy,
  replicationControllerStrategy,
  statefulSetStrategy,
} from './apps/strategies.ts'
import { configMapStrategy, secretStrategy } from './core/config.ts'
import { serviceStrategy } from './core/service.ts'
import { podStrategy } from './pod/strategy.ts'

/** What is special about each kind, keyed `group/resource` of the stored kind (the core group's keys start with a slash). */
export const strategies: Record<string, ResourceStrategy> = {
  '/pods': podStrategy,
  '/podtemplates': podTemplateStrategy,
  '/replicationcontrollers': replicationControllerStrategy,
  '/services': serviceStrategy,
  '/configmaps': configMapStrategy,
  '/secrets': secretStrategy,
  'apps/deployments': deploymentStrategy,
  'apps/replicasets': replicaSetStrategy,
  'apps/daemonsets': daemonSetStrategy,
  'apps/statefulsets': statefulSetStrategy,
  'apps/controllerrevisions': controllerRevisionStrategy,
}
