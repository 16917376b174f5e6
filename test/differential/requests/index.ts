import type { Topic } from '../step.ts'
import { everyKind } from './every-kind.ts'
import { core, groups, workloads } from './objects.ts'

/** The topics by name: that of the file with the recorded answers. */
export const topics: Record<string, Topic> = {
  'kinds-core': { namespace: 'diff-core', steps: everyKind('diff-core', core) },
  'kinds-workloads': { namespace: 'diff-workloads', steps: everyKind('diff-workloads', workloads) },
  'kinds-groups': { namespace: 'diff-groups', steps: everyKind('diff-groups', groups) },
}
