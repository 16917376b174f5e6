/** A difference that has a reason. */
export interface Deviation {
  /** Matches the line of the difference (`body.spec.x: ours 1, theirs 2`). */
  difference: RegExp
  /** Matches `topic: name of the request`; every request when absent. */
  at?: RegExp
  reason: string
}

/** What releases since 1.20 say in other words: the old text, what it has become. */
export const rewordings: [old: RegExp, now: string][] = [
  // the scheme is named by the path of its source, which is a relative one since binaries are built reproducibly
  [/"k8s\.io\/kubernetes\/pkg\/api\/legacyscheme\/scheme\.go:30"/, '"pkg/api/legacyscheme/scheme.go:30"'],
]

export const deviations: Deviation[] = [
  // Forms
  { difference: /: ours undefined, theirs null$/, reason: 'Null and absent say the same; newer releases leave empty creationTimestamps out.' },
  {
    difference: /\.(rules|limits|drivers|endpoints|ports): ours (\[\]|undefined), theirs null$/,
    reason: 'A list that has to be there and is not is an empty one; Go writes null. Both decode alike.',
  },
  {
    difference: /^body\.items\[\d+\]\.(kind|apiVersion): ours ".*", theirs undefined$/,
    reason: 'Items of lists are the bytes of the objects, with their kind and version, which clients fill in otherwise.',
  },
  {
    difference: /^body\.message: ours ".*: json: cannot unmarshal .*", theirs ".*, error found in #\d+ byte of /,
    reason: 'Since 1.23 another JSON decoder words its errors as encoding/json does.',
  },
  {
    difference: /^headers\.warning: ours "299 - \\"unknown field .*", theirs undefined$/,
    reason: 'Field validation: since 1.25 unknown fields are warned of.',
  },

  // Fields that newer releases default
  { difference: /\.status\.lastPhaseTransitionTime: ours "<time>", theirs undefined$/, reason: 'Since 1.28.' },
  {
    difference: /\.spec\.(completionMode: ours "NonIndexed"|suspend: ours false|podReplacementPolicy: ours "TerminatingOrFailed"), theirs undefined$/,
    at: /jobs/,
    reason: 'Jobs: since 1.21, 1.21 and 1.28.',
  },
  {
    difference:
      /\.spec\.(internalTrafficPolicy: ours "Cluster"|ipFamilyPolicy: ours "SingleStack"|ipFamilies: ours \["IPv4"\]|allocateLoadBalancerNodePorts: ours true), theirs undefined$/,
    reason: 'Services: since 1.21, with dual stack, and since 1.20 as a beta.',
  },
  {
    difference: /\.spec\.persistentVolumeClaimRetentionPolicy: ours \{"whenDeleted":"Retain","whenScaled":"Retain"\}, theirs undefined$/,
    reason: 'Since 1.23.',
  },
  { difference: /\.status\.availableReplicas: ours 0, theirs undefined$/, at: /statefulsets/, reason: 'Since 1.22, and not omitted.' },
  { difference: /\.rollingUpdate\.maxSurge: ours 0, theirs undefined$/, at: /daemonsets/, reason: 'Since 1.21.' },
  {
    difference: /\.spec\.(storageCapacity|requiresRepublish|seLinuxMount): ours false, theirs undefined$/,
    at: /csidrivers/,
    reason: 'Since 1.19 (beta 1.21), 1.20 (beta 1.21) and 1.25.',
  },
  { difference: /\.spec\.parameters\.scope: ours "Cluster", theirs undefined$/, reason: 'IngressClasses: since 1.21.' },
  {
    difference: /\.endpoints\[0\]\.nodeName: ours "n", theirs undefined$/,
    reason: 'EndpointSlices: since 1.20 as alpha; the topology label says the same.',
  },
  { difference: /\.metadata\.generation: ours \d+, theirs undefined$/, at: /pods\.v1/, reason: 'Pods have a generation since 1.33.' },

  // Jobs: labels under a domain since 1.27
  {
    difference: /(matchLabels|labels)\.(batch\.kubernetes\.io\/)?(controller-uid|job-name): ours .*, theirs .*$/,
    at: /jobs\.batch/,
    reason: 'Since 1.27 the labels of jobs stand under a domain too.',
  },
  {
    difference: /\.cells\.Selector: ours "batch\.kubernetes\.io\/controller-uid=<uid>", theirs "controller-uid=<uid>"$/,
    reason: 'Since 1.27 the labels of jobs stand under a domain too.',
  },

  // Columns
  {
    difference:
      /\.(columns|cells)\.(VolumeAttributesClass|Status|Timezone|TimeZone|RequestedDuration|StorageCapacity|TokenRequests|RequiresRepublish|PreemptionPolicy): ours .*, theirs undefined$/,
    at: /table/,
    reason: 'Columns since 1.20: of claims and volumes, jobs, cron jobs, certificate requests, CSI drivers and priority classes.',
  },
  {
    difference: /\.(columns\.Restarts\.type: ours "string", theirs "integer"|cells\.Restarts: ours "(\d+)", theirs \2)$/,
    reason: 'Since 1.22 the column says when too.',
  },
  { difference: /^body\.order\[\d\]: ours /, at: /resourcequotas/, reason: 'The age of quotas moved to the end.' },
  { difference: /\.cells\.Targets: ours "cpu: (.*)", theirs "\1"$/, reason: 'Since 1.31 the targets of autoscalers are named.' },
  {
    difference: /\.annotations: ours \{"deprecated\.daemonset\.template\.generation":"\d"\}, theirs undefined$/,
    reason: 'The annotation is part of the stored object, not of its conversion: metadata alone shows it too.',
  },

  // Services were served by a store of their own until 1.23
  {
    difference: /./,
    at: /services\.v1: (create, dry run|update with another uid|update without resourceVersion|update what is not there|merge patch of what is not there|delete.*|list after the collection is gone)$/,
    reason:
      'Since 1.23 services are served by the generic store: they are created by a PUT, updated without a resourceVersion, allocated in dry runs, shown when they are deleted, and deleted as a collection.',
  },
  {
    difference: /\.metadata\.labels\.unconditional: ours "yes", theirs undefined$/,
    at: /services\.v1/,
    reason: 'The update without resourceVersion before.',
  },
  {
    difference: /^(status: ours \d+|body\..*), theirs .*$/,
    at: /services\.v1: apply (what another manager has|by force|what is not there|without a name)$/,
    reason: 'Since 1.21 keys of list items have defaults: ports need no protocol.',
  },
  {
    difference: /^body\.message: ours "field label not supported: spec\.nothing"/,
    at: /services\.v1/,
    reason: 'Since 1.22 services are selected by type and address.',
  },

  // Others
  { difference: /\.metadata\.generation: ours \d+, theirs undefined$/, at: /(jobs\.batch|cronjobs)/, reason: 'Jobs have a generation since 1.21.' },
  {
    difference: /\.metadata\.name: ours "diff-gen-<suffix>", theirs "[0-9a-f-]+<suffix>"$/,
    at: /limitranges/,
    reason: 'Names are generated before kinds give their own.',
  },
  { difference: /^body\.items/, at: /limitranges.*delete a collection$/, reason: 'Names are generated before kinds give their own.' },
  { difference: /\.endpoints/, at: /endpointslices.*: apply what another manager has$/, reason: 'Null lists are not owned any more.' },

  // Statuses
  {
    difference: /^body\.message: ours ".*\w\.networking\.k8s\.io \\"(diff-|\\").*", theirs ".*\w\.extensions \\"(diff-|\\")/,
    reason: 'Ingresses have moved out of the group extensions, internally too.',
  },
  {
    difference: /^body\.details\.group: ours "networking\.k8s\.io", theirs "extensions"$/,
    reason: 'Ingresses have moved out of the group extensions, internally too.',
  },
]
