import type { Release } from '../recorded.ts'
import type { Topic } from '../step.ts'
import { documents } from './documents.ts'
import { everyKind } from './every-kind.ts'
import { machinery } from './machinery.ts'
import { applies } from './applies.ts'
import { coreMistakes } from './mistakes-core.ts'
import { groupMistakes } from './mistakes-groups.ts'
import { podMistakes } from './mistakes-pods.ts'
import { workloadMistakes } from './mistakes-workloads.ts'
import { mistakes } from './mistakes.ts'
import { core, groups, workloads } from './objects.ts'
import { patches } from './patches.ts'
import { policies } from './policies.ts'
import { reads } from './reads.ts'
import { subresources } from './subresources.ts'

const of120: Record<string, Topic> = {
  documents: { namespace: 'diff-documents', steps: documents },
  'kinds-core': { namespace: 'diff-core', steps: everyKind('diff-core', core) },
  'kinds-workloads': { namespace: 'diff-workloads', steps: everyKind('diff-workloads', workloads) },
  'kinds-groups': { namespace: 'diff-groups', steps: everyKind('diff-groups', groups) },
  machinery: { namespace: 'diff-machinery', steps: machinery('diff-machinery') },
  'mistakes-core': { namespace: 'diff-wrong-core', steps: mistakes(coreMistakes('diff-wrong-core')) },
  'mistakes-groups': { namespace: 'diff-wrong-groups', steps: mistakes(groupMistakes('diff-wrong-groups')) },
  'mistakes-pods': { namespace: 'diff-wrong-pods', steps: mistakes(podMistakes('diff-wrong-pods')) },
  'mistakes-workloads': { namespace: 'diff-wrong-loads', steps: mistakes(workloadMistakes('diff-wrong-loads')) },
  patches: { namespace: 'diff-patches', managedFields: true, steps: patches('diff-patches') },
  subresources: { namespace: 'diff-subresources', steps: subresources('diff-subresources') },
}

/** The topics of a release by name: that of the file with the recorded answers. Of 1.36 there is the machinery alone, over a few kinds. */
export const topics: Record<Release, Record<string, Topic>> = {
  '1.20': of120,
  '1.36': {
    applies: { namespace: 'diff-applies', managedFields: true, steps: applies('diff-applies') },
    machinery: of120['machinery']!,
    patches: of120['patches']!,
    policies: { namespace: 'diff-policies', steps: policies('diff-policies') },
    reads: { namespace: 'diff-reads', steps: reads('diff-reads') },
  },
}
