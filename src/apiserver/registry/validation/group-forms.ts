import type { internalForm } from './internal-form.ts'

type Form = Parameters<typeof internalForm>[1]

const rolling: Form = [
  ['maxUnavailable', 'MaxUnavailable'],
  ['maxSurge', 'MaxSurge'],
]

/** Internal forms of what causes show of the groups apps, batch, flowcontrol, policy and rbac. */
export const groupForms = {
  deploymentStrategy: [
    ['type', 'Type', 'text'],
    ['rollingUpdate', 'RollingUpdate', rolling],
  ],
  statefulSetRolling: [
    ['partition', 'Partition'],
    ['maxUnavailable', 'MaxUnavailable'],
  ],
  statefulSetStrategy: [
    ['type', 'Type', 'text'],
    [
      'rollingUpdate',
      'RollingUpdate',
      [
        ['partition', 'Partition'],
        ['maxUnavailable', 'MaxUnavailable'],
      ],
    ],
  ],
  podFailurePolicy: [
    [
      'rules',
      'Rules',
      [
        ['action', 'Action', 'text'],
        [
          'onExitCodes',
          'OnExitCodes',
          [
            ['containerName', 'ContainerName'],
            ['operator', 'Operator', 'text'],
            ['values', 'Values'],
          ],
        ],
        [
          'onPodConditions',
          'OnPodConditions',
          [
            ['type', 'Type', 'text'],
            ['status', 'Status', 'text'],
          ],
        ],
      ],
    ],
  ],
  successPolicy: [
    [
      'rules',
      'Rules',
      [
        ['succeededIndexes', 'SucceededIndexes'],
        ['succeededCount', 'SucceededCount'],
      ],
    ],
  ],
  uncountedTerminatedPods: [
    ['succeeded', 'Succeeded'],
    ['failed', 'Failed'],
  ],
  distinguisherMethod: [['type', 'Type', 'text']],
  disruptionBudgetSpec: [
    ['minAvailable', 'MinAvailable'],
    ['selector', 'Selector'],
    ['maxUnavailable', 'MaxUnavailable'],
    ['unhealthyPodEvictionPolicy', 'UnhealthyPodEvictionPolicy'],
  ],
  roleRef: [
    ['apiGroup', 'APIGroup', 'text'],
    ['kind', 'Kind', 'text'],
    ['name', 'Name', 'text'],
  ],
  toleration: [
    ['key', 'Key', 'text'],
    ['operator', 'Operator', 'text'],
    ['value', 'Value', 'text'],
    ['effect', 'Effect', 'text'],
    ['tolerationSeconds', 'TolerationSeconds'],
  ],
} satisfies Record<string, Form>
