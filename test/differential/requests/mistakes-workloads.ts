import { kindIn } from '../step.ts'
import type { Change, Mistakes } from './mistakes.ts'

const containers = [{ name: 'a', image: 'a:1' }]
const template = { metadata: { labels: { app: 'a' } }, spec: { containers } }
const base: Change = { spec: { selector: { matchLabels: { app: 'a' } }, template } }
const spec = (change: Change): Change => ({ spec: change })

/** What all workloads with a selector and a template get wrong. */
const common: Record<string, Change> = {
  'no spec': { spec: null },
  'no selector': spec({ selector: null }),
  'an empty selector': spec({ selector: { matchLabels: null } }),
  'a selector that does not match': spec({ selector: { matchLabels: { app: 'b' } } }),
  'a selector with bad keys and values': spec({ selector: { matchLabels: { 'a b': 'c d' } } }),
  'a selector with bad expressions': spec({
    selector: {
      matchLabels: null,
      matchExpressions: [
        { key: 'k', operator: 'In' },
        { key: 'k', operator: 'Exists', values: ['a'] },
        { key: '', operator: 'Near' },
      ],
    },
  }),
  'no template': spec({ template: null }),
  'a template without containers': spec({ template: { spec: { containers: [] } } }),
  'a template that does not restart': spec({ template: { spec: { restartPolicy: 'Never' } } }),
  'a template with a deadline': spec({ template: { spec: { activeDeadlineSeconds: 5 } } }),
  'a template with ephemeral containers': spec({ template: { spec: { ephemeralContainers: [{ name: 'e', image: 'e' }] } } }),
  'a template with bad labels': spec({ template: { metadata: { labels: { app: 'a', 'b c': 'd' } } } }),
  'negative numbers': spec({ replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1 }),
  'replicas as a text': spec({ replicas: '3' }),
}

const commonUpdates: Record<string, Change> = {
  'the selector': spec({ selector: { matchLabels: { app: 'b' } }, template: { metadata: { labels: { app: 'b' } } } }),
  'the template': spec({ template: { metadata: { annotations: { a: 'b' } } } }),
  'labels of the template that the selector needs': spec({ template: { metadata: { labels: { app: null } } } }),
  'negative replicas': spec({ replicas: -2 }),
  'the status': { status: { replicas: 5 } },
}

const noPodName = 'a-name-that-is-much-too-long-for-the-pods-of-a-stateful-set-or-a-job-to-carry'

export const workloadMistakes = (namespace: string): Mistakes[] => [
  {
    kind: kindIn(namespace, 'apps/v1', 'Deployment', 'deployments'),
    base,
    creates: {
      ...common,
      'a strategy that is none': spec({ strategy: { type: 'Hope' } }),
      'a rolling update of what is recreated': spec({ strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
      'neither surge nor unavailable': spec({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
      'more than all unavailable': spec({ strategy: { rollingUpdate: { maxUnavailable: '150%' } } }),
      'bad percentages': spec({ strategy: { rollingUpdate: { maxUnavailable: 'half', maxSurge: '-1%' } } }),
      'negative surge': spec({ strategy: { rollingUpdate: { maxUnavailable: -1, maxSurge: -1 } } }),
      'a deadline below the ready time': spec({ minReadySeconds: 100, progressDeadlineSeconds: 50 }),
      'a negative deadline': spec({ progressDeadlineSeconds: -1 }),
    },
    updates: { ...commonUpdates, 'to recreate': spec({ strategy: { type: 'Recreate', rollingUpdate: null } }), paused: spec({ paused: true }) },
    statuses: {
      'negative numbers': {
        replicas: -1,
        updatedReplicas: -1,
        readyReplicas: -1,
        availableReplicas: -1,
        unavailableReplicas: -1,
        observedGeneration: -1,
      },
      'more ready than there are': { replicas: 1, readyReplicas: 2, availableReplicas: 3, updatedReplicas: 4 },
      collisions: { collisionCount: -1 },
    },
  },
  {
    kind: kindIn(namespace, 'apps/v1', 'ReplicaSet', 'replicasets'),
    base,
    creates: common,
    updates: commonUpdates,
    statuses: {
      'negative numbers': { replicas: -1, fullyLabeledReplicas: -1, readyReplicas: -1 },
      'more ready than there are': { replicas: 1, readyReplicas: 2, availableReplicas: 3, fullyLabeledReplicas: 4 },
    },
  },
  {
    kind: kindIn(namespace, 'apps/v1', 'DaemonSet', 'daemonsets'),
    base,
    creates: {
      ...common,
      'a strategy that is none': spec({ updateStrategy: { type: 'Hope' } }),
      'nothing unavailable': spec({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } } }),
      'more than all unavailable': spec({ updateStrategy: { rollingUpdate: { maxUnavailable: '101%' } } }),
    },
    updates: { ...commonUpdates, 'on delete': spec({ updateStrategy: { type: 'OnDelete', rollingUpdate: null } }) },
    statuses: {
      'negative numbers': {
        currentNumberScheduled: -1,
        numberMisscheduled: -1,
        desiredNumberScheduled: -1,
        numberReady: -1,
        updatedNumberScheduled: -1,
        numberAvailable: -1,
        numberUnavailable: -1,
      },
    },
  },
  {
    kind: kindIn(namespace, 'apps/v1', 'StatefulSet', 'statefulsets'),
    base: { spec: { ...(base['spec'] as Change), serviceName: 's' } },
    creates: {
      ...common,
      'a policy that is none': spec({ podManagementPolicy: 'Chaos' }),
      'a strategy that is none': spec({ updateStrategy: { type: 'Hope' } }),
      'a negative partition': spec({ updateStrategy: { rollingUpdate: { partition: -1 } } }),
      'a partition of what is updated on delete': spec({ updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } }),
      'no service name': spec({ serviceName: null }),
      'a claim template without a name': spec({
        volumeClaimTemplates: [{ spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
      }),
    },
    updates: {
      ...commonUpdates,
      replicas: spec({ replicas: 3 }),
      'the service name': spec({ serviceName: 't' }),
      'the policy': spec({ podManagementPolicy: 'Parallel' }),
      'claim templates': spec({
        volumeClaimTemplates: [{ metadata: { name: 'x' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
      }),
      'the history limit': spec({ revisionHistoryLimit: 2 }),
      'the strategy': spec({ updateStrategy: { rollingUpdate: { partition: 2 } } }),
    },
    statuses: {
      'negative numbers': { replicas: -1, readyReplicas: -1, currentReplicas: -1, updatedReplicas: -1, observedGeneration: -1, collisionCount: -1 },
      'more ready than there are': { replicas: 1, readyReplicas: 2, currentReplicas: 3, updatedReplicas: 4 },
    },
  },
  {
    kind: kindIn(namespace, 'v1', 'ReplicationController', 'replicationcontrollers'),
    base: { spec: { selector: { app: 'a' }, template } },
    creates: {
      'no spec': { spec: null },
      'no selector': spec({ selector: null }),
      'a selector that does not match': spec({ selector: { app: 'b' } }),
      'no template': spec({ template: null }),
      'negative numbers': spec({ replicas: -1, minReadySeconds: -1 }),
      'a template that does not restart': spec({ template: { spec: { restartPolicy: 'Never' } } }),
    },
    updates: {
      'the selector': spec({ selector: { app: 'b' } }),
      'the selector and the template': spec({ selector: { app: 'b' }, template: { metadata: { labels: { app: 'b' } } } }),
      'the status': { status: { replicas: 3 } },
    },
    statuses: { 'negative numbers': { replicas: -1, fullyLabeledReplicas: -1 } },
  },
  {
    kind: kindIn(namespace, 'apps/v1', 'ControllerRevision', 'controllerrevisions'),
    base: { data: { a: 1 }, revision: 1 },
    creates: { 'no data': { data: null }, 'a negative revision': { revision: -1 }, 'no revision': { revision: null } },
    updates: { revision: { revision: 5 }, 'a negative revision': { revision: -1 }, data: { data: { b: 2 } } },
  },
  {
    kind: kindIn(namespace, 'batch/v1', 'Job', 'jobs'),
    base: { spec: { template: { spec: { containers, restartPolicy: 'Never' } } } },
    creates: {
      'no spec': { spec: null },
      'no template': spec({ template: null }),
      'a template that always restarts': spec({ template: { spec: { restartPolicy: 'Always' } } }),
      'no restart policy': spec({ template: { spec: { restartPolicy: null } } }),
      'negative numbers': spec({ parallelism: -1, completions: -1, backoffLimit: -1, activeDeadlineSeconds: -1, ttlSecondsAfterFinished: -1 }),
      'a selector of its own': spec({ selector: { matchLabels: { a: 'b' } } }),
      'a selector by hand': spec({ manualSelector: true, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } } } }),
      'a selector by hand that does not match': spec({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }),
      'a selector by hand that is missing': spec({ manualSelector: true }),
      'labels that are not its own': spec({ template: { metadata: { labels: { 'controller-uid': 'x', 'job-name': 'y' } } } }),
      'no containers': spec({ template: { spec: { containers: [] } } }),
      'parallelism alone': spec({ parallelism: 5 }),
      'completions alone': spec({ completions: 5 }),
      'a name too long for its pods': { metadata: { name: noPodName } },
    },
    updates: {
      parallelism: spec({ parallelism: 3 }),
      completions: spec({ completions: 3 }),
      'the template': spec({ template: { spec: { containers: [{ name: 'a', image: 'b' }] } } }),
      'the selector': spec({ selector: { matchLabels: { a: 'b' } } }),
      'the deadline': spec({ activeDeadlineSeconds: 5 }),
      'the back-off limit': spec({ backoffLimit: 1 }),
    },
    statuses: {
      'negative numbers': { active: -1, succeeded: -1, failed: -1 },
      finished: {
        succeeded: 1,
        completionTime: '2026-01-01T00:01:00Z',
        startTime: '2026-01-01T00:00:00Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
  },
  {
    kind: kindIn(namespace, 'batch/v1beta1', 'CronJob', 'cronjobs'),
    base: { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { containers, restartPolicy: 'Never' } } } } } },
    creates: {
      'no spec': { spec: null },
      'no schedule': spec({ schedule: null }),
      'a schedule of words': spec({ schedule: 'every day' }),
      'a schedule of four fields': spec({ schedule: '* * * *' }),
      'a schedule out of range': spec({ schedule: '61 * * * *' }),
      'a schedule of a step of zero': spec({ schedule: '*/0 * * * *' }),
      'an unknown name': spec({ schedule: '@sometimes' }),
      'a policy that is none': spec({ concurrencyPolicy: 'Maybe' }),
      'negative numbers': spec({ startingDeadlineSeconds: -1, successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 }),
      'no job template': spec({ jobTemplate: null }),
      'a job that always restarts': spec({ jobTemplate: { spec: { template: { spec: { restartPolicy: 'Always' } } } } }),
      'a job with a selector by hand': spec({ jobTemplate: { spec: { manualSelector: true } } }),
      'a job without containers': spec({ jobTemplate: { spec: { template: { spec: { containers: [] } } } } }),
      'a name too long for its jobs': { metadata: { name: 'a-name-that-is-much-too-long-for-the-jobs-that-it-makes' } },
    },
    updates: {
      'the schedule': spec({ schedule: '0 * * * *' }),
      'a bad schedule': spec({ schedule: 'x' }),
      'the job template': spec({ jobTemplate: { spec: { backoffLimit: 2 } } }),
    },
  },
  {
    kind: kindIn(namespace, 'autoscaling/v1', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
    base: { spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } } },
    creates: {
      'no spec': { spec: null },
      'no maximum': spec({ maxReplicas: null }),
      'a minimum above the maximum': spec({ minReplicas: 5 }),
      'a minimum of zero': spec({ minReplicas: 0 }),
      'no target': spec({ scaleTargetRef: null }),
      'a target without kind and name': spec({ scaleTargetRef: { kind: null, name: null } }),
      'a bad target name': spec({ scaleTargetRef: { name: 'a/b', kind: 'c/d' } }),
      'a use of zero': spec({ targetCPUUtilizationPercentage: 0 }),
      'bad annotated metrics': { metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/metrics': '[{"type":"Pods"}]' } } },
    },
    updates: { 'the maximum': spec({ maxReplicas: 4 }), 'a maximum of zero': spec({ maxReplicas: 0 }) },
    statuses: { 'negative numbers': { currentReplicas: -1, desiredReplicas: -1 } },
  },
  {
    kind: kindIn(namespace, 'policy/v1beta1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
    base: { spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } } },
    creates: {
      both: spec({ maxUnavailable: 1 }),
      'a negative number': spec({ minAvailable: -1 }),
      'more than all': spec({ minAvailable: '101%' }),
      'a bad percentage': spec({ minAvailable: 'x' }),
      'a bad selector': spec({ selector: { matchLabels: { 'a b': 'c' } } }),
      neither: spec({ minAvailable: null }),
    },
    updates: {
      'the minimum': spec({ minAvailable: 2 }),
      'the selector': spec({ selector: { matchLabels: { app: 'b' } } }),
      'a bad minimum': spec({ minAvailable: -2 }),
    },
    statuses: {
      'negative numbers': { disruptionsAllowed: -1, currentHealthy: -1, desiredHealthy: -1, expectedPods: -1 },
      numbers: { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    },
  },
]
