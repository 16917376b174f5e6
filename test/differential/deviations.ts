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
  // since 1.33 and before, texts have become clearer
  [/: (signerName|usages) must be provided$/, ''],
  [/must have at most (\d+) bytes$/, 'may not be more than $1 bytes'],
  [/\(127\.0\.0\.0\/8\)$/, '(127.0.0.0/8, ::1/128)'],
  [/\(169\.254\.0\.0\/16\)$/, '(169.254.0.0/16, fe80::/10)'],
  [/\(224\.0\.0\.0\/24\)$/, '(224.0.0.0/24, ff02::/10)'],
  [/must be (a )?valid IP address$/, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  [/not a valid CIDR$/, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
  [/must to greater or equal than 0$/, 'must be greater than or equal to 0'],
  [/ExternalTrafficPolicy can only be set.*$/, 'may only be set for externally-accessible services'],
  [/HealthCheckNodePort can only.*$/, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"],
  [
    /failed to allocated ip:(\S+) with error:provided IP is not in the valid range\..*$/,
    'failed to allocate IP $1: the provided network does not match the current range',
  ],
  [/failed to allocated ip:(\S+) with error:provided IP is/, 'failed to allocate IP $1: provided IP is'],
  [/"ReadWriteMany", "ReadWriteOnce"$/, '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'],
  [/except resources\.requests for bound claims/, 'except resources.requests and volumeAttributesClassName for bound claims'],
  [/match regex \(.*$/, 'match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'],
  [/at least one letter or number \(a-z, 0-9\)$/, 'at least one letter (a-z)'],
  [/Expected exactly 5 fields, found (\d): (.*)$/, 'expected exactly 5 fields, found $1: [$2]'],
  [/: End of range/, ': end of range'],
  [/: Step of range/, ': step of range'],
  [/: Unrecognized descriptor/, ': unrecognized descriptor'],
  [/references for (\w+) and (\w+)$/, 'references for Pod/$1 and Pod/$2'],
  [/type of PersistentVolumeClaim for block mode/, 'type of PersistentVolumeClaim or Ephemeral for block mode'],
  [/expected: '=', '!=', '==', 'in', notin'$/, 'expected: in, notin, =, ==, !=, gt, lt'],
  [/^failed to create typed patch object: /, 'failed to create typed patch object (diff-patches/diff-s; apps/v1, Kind=Deployment): '],
  [/host must be provided; desired/, 'host must be specified; desired'],
  [/Invalid value: "null"/, 'Invalid value: null'],
  [/Invalid value: ([\d-]{10}) ([\d:]{8}) \+0000 UTC/, 'Invalid value: "$1T$2Z"'],
  [/"x": must be a valid IPv4 address$/, '"x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  [/must be a valid (IPv[46]) address$/, 'must be an $1 address'],
  [/must be 128 characters or less/, 'must be 256 characters or less'],
  // newer releases say what is wrong with several labels where one is wanted
  [/Invalid value: ("[-a-z0-9]+(\.[-a-z0-9]+)+"): a lowercase RFC 1123 label must.*$/, 'Invalid value: $1: must not contain dots'],
  [/`configMapKeyRef` or `secretKeyRef`$/, '`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'],
  [/: (kind|name|uid) must not be empty$/, ': must not be empty'],
  [
    /^406: Not Acceptable$/,
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  ],
  [/encoded version "other"$/, 'encoded version other'],
  [/unable to parse requirement: (for 'Gt', 'Lt')/, 'unable to parse requirement: values[0]: Invalid value: "x": $1'],
  [/invalid label key ("[^"]*"): /, '<nil>: Invalid value: $1: '],
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
    difference: /^body\.message: ours ".* cannot be handled as a .*", theirs ".*, error found in #\d+ byte of /,
    reason: 'Since 1.23 another JSON decoder words its errors as encoding/json does.',
  },
  {
    difference: /^headers\.warning: ours "299 - \\"unknown field .*", theirs undefined$/,
    reason: 'Field validation: since 1.25 unknown fields are warned of.',
  },

  // Fields that newer releases default
  { difference: /\.status\.lastPhaseTransitionTime: ours "<time>", theirs undefined$/, reason: 'Since 1.28.' },
  {
    difference:
      /\.spec\.(completionMode: ours "NonIndexed"|suspend: ours false|podReplacementPolicy: ours "TerminatingOrFailed"|manualSelector: ours false), theirs undefined$/,
    at: /job/,
    reason: 'Jobs: since 1.21, 1.21, 1.28 and 1.27.',
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
  { difference: /\.metadata\.generation: ours \d+, theirs undefined$/, at: /pods\.v1|subresources: /, reason: 'Pods have a generation since 1.33.' },

  {
    difference: /metadata\.name \| FieldValueInvalid \| .* a lowercase RFC 1123 (label|subdomain) must/,
    at: /statefulsets\.apps\/v1: create with a bad name/,
    reason: 'Since 1.27 names of stateful sets are DNS labels, as those of their pods are.',
  },

  {
    difference: /ours alone spec\.scaleTargetRef\.apiVersion \| .* apiVersion must specify API group$/,
    at: /horizontalpodautoscalers\.autoscaling\/v1: no (spec|target)$/,
    reason: 'Since 1.35 the target of an autoscaler has a group.',
  },

  {
    difference: /causes: \w+ alone [vV]alue \| FieldValueForbidden/,
    at: /priorityclasses\.scheduling\.k8s\.io\/v1: update: value/,
    reason: 'Fields are called as they are written, which 1.20 did not always do.',
  },
  {
    difference: /causes: \w+ alone scheduling\.tolerations(\.tolerations)?\[0\]\./,
    at: /runtimeclasses\.node\.k8s\.io\/v1: bad scheduling/,
    reason: 'Fields are called as they are written, which 1.20 did not always do.',
  },

  {
    difference: /causes: \w+ alone reporting(Component|Controller) \|/,
    at: /events\.v1: a (time without a|bad) reporter$/,
    reason: 'Fields are called as their version calls them, which 1.20 did not always do.',
  },

  {
    difference: /\.cells\.Count: ours 2, theirs 3$/,
    at: /events\.v1: .* as a table|events\.events\.k8s\.io\/v1: .* as a table/,
    reason: 'Since clients count the first event of a series, its count is shown as it is.',
  },

  // Jobs: the status that other controllers write is held to rules since 1.30
  {
    difference: /ours alone status\.(failed|succeeded) \| .* cannot decrease the \w+ counter$/,
    at: /jobs\.batch\/v1: status: negative numbers/,
    reason: 'Since 1.30 counters of jobs do not shrink.',
  },
  { difference: /^(status|body)\b/, at: /jobs\.batch\/v1: status: finished/, reason: 'Since 1.30 a job completes after its success was noted.' },

  // Jobs: labels under a domain since 1.27
  {
    difference: /(matchLabels|labels)\.(batch\.kubernetes\.io\/)?(controller-uid|job-name): ours .*, theirs .*$/,
    at: /job/,
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

  {
    difference:
      /labels(\.kubernetes\.io\/metadata\.name)?: ours .*, theirs undefined$|metadata\.labels \| FieldValueInvalid \| .* must be no more than 63/,
    at: /namespaces\.v1|subresources: /,
    reason: 'Since 1.21 namespaces are labelled with their names.',
  },

  // Rules that are newer than 1.20, or older
  { difference: /pod updates may not change fields other than/, reason: 'Since then a few fields more may be changed, and are named.' },
  { difference: /updates to statefulset spec for fields other than/, reason: 'Since then a few fields more may be changed, and are named.' },
  { difference: /./, at: /statefulsets.*update: the (history limit|strategy)$/, reason: 'Since 1.30 the history limit may be changed.' },
  {
    difference: /spec is immutable after creation except|field can not be less than|storageClassName: ours "x", theirs undefined$/,
    at: /persistentvolumeclaims/,
    reason:
      'Claims: since 1.28 a class may be given later (status and object follow), since 1.34 requests may shrink again; the texts end in a difference of Go values.',
  },
  { difference: /./, at: /persistentvolumeclaims\.v1: update: the class$/, reason: 'Since 1.28 a class may be given later.' },
  { difference: /\.spec\.dataSourceRef: ours \{.*\}, theirs undefined$/, reason: 'Since 1.22.' },
  { difference: /persistentvolumesource is immutable after creation/, reason: 'The text ends in a difference of Go values.' },
  {
    difference: /envFrom\[1\]\.prefix|a valid environment variable name must consist/,
    reason: 'Since 1.34 names of variables are any printable text.',
  },
  { difference: /must be (less than or )?equal to \S+ limit( of \S+)?$/, reason: 'Since 1.24 the text says which limit.' },
  {
    difference:
      /^body\.details\.causes: (ours alone|theirs alone) spec\.initContainers\[0\].*(must not be set for init containers|may not be set for init containers without)/,
    reason: 'Since 1.28 some init containers go on running.',
  },
  { difference: /securityContext\.procMount \|/, reason: 'Checked since the type of mount is no longer an alpha feature.' },
  {
    difference:
      /spec\.hostAliases(\[0\])?\.|ExecutionIgnored|requiredDuringSchedulingIgnoredDuringExecution\[2\]\.(labelSelector|matchExpressions)\./,
    reason: 'Since then the paths of the causes are right.',
  },
  { difference: /./, at: /pods\.v1: ephemeral containers$/, reason: 'They were dropped without the feature; now they are refused.' },

  // Pods: what is said of them since
  {
    difference:
      /^headers\.warning: ours "299 - .*(hostIP set without hostPort|negative values are invalid and will be treated as 1|invalid empty name|use the \\+"appArmorProfile\\+" field instead).*", theirs undefined$/,
    reason: 'Since 1.22 and later clients are warned of what is allowed and hardly meant.',
  },
  {
    difference: /spec\.(volumes\[0\]\.csi\.driver|drivers\[0\]\.name|attacher) \| FieldValueInvalid \| Invalid value: ""/,
    reason: 'Of a missing name of a driver nothing else is said.',
  },
  {
    difference: /\.searches\[0\] \| /,
    at: /pods\.v1: a bad search path$/,
    reason: 'Since 1.32 names to search may begin with an underscore, and the text says so.',
  },
  {
    difference: /\.terminationMessagePolicy \| /,
    at: /pods\.v1: a bad termination message policy$/,
    reason: 'The cause is of another type, and lists the policies.',
  },
  {
    difference: /\.ports\[0\]\.(hostPort|containerPort) \| .*`hostNetwork` is true$/,
    at: /pods\.v1: a host port that differs on the host network$/,
    reason: "The host's port is named, no longer the container's.",
  },
  {
    difference: /may not specify more than 1 volume type( per source)?$/,
    at: /pods\.v1: a projection with bad sources$/,
    reason: 'The text became clearer.',
  },
  { difference: /is not positive integer multiple of/, at: /pods\.v1: huge pages without/, reason: 'Since 1.31 huge pages come whole.' },
  {
    difference: /(status|metadata)\.conditions\[0\]\.Type \| /,
    at: /pods\.v1: status: conditions without types$/,
    reason: 'Conditions are in the status.',
  },
  {
    difference: /./,
    at: /(deployments|replicasets|daemonsets|statefulsets)\.apps\/v1: a template with ephemeral containers$/,
    reason: 'They were dropped without the feature; now they are refused.',
  },
  { difference: /maxUnavailable \|.*cannot be 0/, at: /daemonsets/, reason: 'Since 1.21 there is a surge.' },
  {
    difference: /spec\.template\.spec\.containers \| FieldValueRequired/,
    at: /statefulsets.*: no (spec|template)$/,
    reason: 'Templates of stateful sets are checked like others.',
  },
  {
    difference: /labels \| FieldValueInvalid \| .*must be no more than \d+ (bytes|characters)$/,
    reason: 'Since 1.35 lengths of labels are told in bytes.',
  },
  { difference: /spec\.(minReadySeconds|revisionHistoryLimit) \|.*-1/, at: /statefulsets/, reason: 'Checked since 1.22 and 1.33.' },
  { difference: /status\.availableReplicas \|/, at: /statefulsets/, reason: 'Since 1.22.' },
  {
    difference: /./,
    at: /statefulsets\.apps\/v1: a claim template without a name$/,
    reason: 'Claims become volumes of the template, which is checked.',
  },
  { difference: /./, at: /statefulsets\.apps\/v1: a template without containers$/, reason: 'Templates of stateful sets are checked like others.' },
  { difference: /ttlSecondsAfterFinished/, reason: 'Checked since the feature is no longer alpha (1.21).' },
  {
    difference: /`selector` does not match template `labels`/,
    at: /jobs\.batch\/v1: labels that are not its own$/,
    reason: 'Since 1.27 the selector is about the label under a domain.',
  },
  { difference: /LoadBalancerSourceRanges/, reason: 'Since 1.33 each range is named.' },
  { difference: /spec\.externalTrafficPolicy \|/, at: /a traffic policy that is none$/, reason: 'Since 1.25 a value that is none is not supported.' },
  {
    difference: /(nodePort: ours undefined|allocateLoadBalancerNodePorts: ours false)/,
    at: /services.*a balancer without node ports/,
    reason: 'Since 1.20 as alpha, 1.24 for all.',
  },
  { difference: /spec\.scopeSelector\.matchExpressions/, reason: 'Since then the causes say which expression.' },
  { difference: /spec\.podCIDRs\[0\]/, at: /a bad pod range$/, reason: 'Since 1.33 the text is that of other ranges.' },
  { difference: /./, at: /nodes\.v1: two pod ranges of one family$/, reason: 'The second range was dropped without dual stack.' },
  { difference: /./, at: /ingresses\.networking\.k8s\.io\/v1: a class of both kinds$/, reason: 'Since 1.23 both may say the same.' },
  { difference: /causes: (ours|theirs) alone spec/, at: /v1beta1: beta: /, reason: 'Causes name the fields of the version that is stored.' },
  { difference: /must be a strict subset of `cidr`$/, reason: 'Since 1.21.' },
  { difference: /./, at: /csidrivers.*update/, reason: 'Since 1.23 some fields may be changed, and the others are named.' },
  { difference: /topologyKeys: ours \[\], theirs null$/, reason: 'A list that has to be there and is not is an empty one.' },
  { difference: /may not be in the loopback range/, at: /endpointslices/, reason: 'Since 1.21.' },
  { difference: /endpoints\[0\]\.(deprecatedTopology|topology) \|/, reason: 'Causes name the fields of the version that is stored.' },

  // Documents
  { difference: /^body\.resources\.[^.]+\.singularName: ours ".*", theirs ""$/, reason: 'Since 1.27 resources have singular names.' },
  {
    difference: /\.storageVersionHash: ours/,
    reason: 'The hash of the version that is stored, which is another for some kinds, and for those with several versions.',
  },
  {
    difference: /^body\.resources\.[a-z/]+: ours (undefined|.*), theirs (undefined|\{"name":"podsecuritypolicies.*)$/,
    at: /documents: /,
    reason: 'Resources that are newer than 1.20, or gone since.',
  },
  {
    difference: /^body\.resources\.(pods\/eviction\.version: ours "v1", theirs "v1beta1"|services\.verbs: ours .*)/,
    reason: 'Since 1.22 evictions are v1; since 1.23 services are deleted as a collection.',
  },
  { difference: /./, at: /the resources of extensions\/v1beta1$/, reason: 'The last resource of that group leaves the short name to its successor.' },

  // Machinery
  { difference: /^body\.(paths|groups)/, at: /machinery: path/, reason: 'The groups and paths of another release.' },
  { difference: /./, at: /machinery: path .*%zz$/, reason: "Go's HTTP server answers before the API server is asked." },
  {
    difference: /data\.a: ours undefined, theirs "1"$/,
    at: /machinery/,
    reason: 'Of a field that stands twice the last one counts; 1.20 joined them.',
  },
  {
    difference: /^body\.message: ours ".*yaml|^body\.message: ours "error parsing YAML|^body\.message: ours "error decoding YAML/i,
    at: /YAML/,
    reason: 'The parser of YAML says what is wrong in its own words.',
  },
  {
    difference:
      /(status: ours 400, theirs 500|body\.reason: ours "BadRequest", theirs undefined|body\.code: ours 400, theirs 500|body\.message: ours "invalid resource version)/,
    at: /resourceVersion=(x|-1)$/,
    reason: 'Since 1.21 a version that is none is a bad request.',
  },
  {
    difference: /(status|reason|code|details|message): ours/,
    at: /(a patch without a body|merge: (a list as a patch|null|no JSON))$/,
    reason: 'Since 1.25 a merge patch is decoded before it is merged.',
  },
  { difference: /./, at: /delete with options of wrong types$/, reason: 'Options of wrong types are told by their fields.' },
  {
    difference: /./,
    at: /delete with options of a group$/,
    reason: 'A dry run that is asked for beside a body is one: 1.20 has deleted the object before.',
  },
  { difference: /^body\.(gitCommit|gitTreeState|goVersion|compiler)/, at: /the version$/, reason: 'It is another build.' },
  { difference: /./, at: /on behalf of a group alone$/, reason: 'A Status instead of a text; the client is at fault, not the server.' },
  { difference: /./, at: /strategic: a directive that is none$/, reason: 'Directives are taken out where there is nothing yet to which they apply.' },
  {
    difference: /causes: (ours|theirs) alone patch \| FieldValueInvalid \| Invalid value: "\{/,
    reason: 'The patched object that the cause shows has its fields in another order.',
  },
  { difference: /./, at: /(JSON: replace what is not there|a scale by JSON patch)$/, reason: 'Since then what is replaced has to be there.' },
  {
    difference: /(spec\.replicas: ours 0, theirs 2|generation: ours 3, theirs 4)$/,
    at: /a status that changes the spec$/,
    reason: 'The scale by JSON patch before.',
  },
  { difference: /subresource: ours "status", theirs undefined$/, reason: 'Since 1.22 managers of the status are told apart.' },
  {
    difference: /^body\.message: ours "(error decoding patch: |the namespace of the provided object does not match)/,
    at: /(JSON: (an object as a patch|no JSON)|apply: another namespace|update: the namespace)$/,
    reason: 'Since 1.25 JSON patches are decoded strictly first; since 1.22 the namespace of what is patched is told in other words.',
  },
  {
    difference: /^body\.message: ours "invalid object type: /,
    at: /apply: (another version|no kind|nothing)$/,
    reason: 'Since 1.22 the kind and version are compared before all else.',
  },
  { difference: /managedFields/, at: /apply: another manager agrees$/, reason: 'An apply that changes nothing has no time.' },
  {
    difference: /(status: ours 400, theirs 500|body\.reason: ours "BadRequest", theirs undefined|body\.code: ours 400, theirs 500)$/,
    at: /delete with a body (of another kind|that is no JSON)$/,
    reason: 'Since 1.31 options that cannot be decoded are the client’s mistake.',
  },
  {
    difference: /./,
    at: /list \?watch=1&continue=x/,
    reason: 'Since 1.34 a watch without a version begins with what is there, which excludes a token.',
  },
  {
    difference: /./,
    at: /apply: (another kind|a wrong type)$/,
    reason: 'A kind that is not applied to here is a bad request, not a failure of the server.',
  },
  {
    difference: /./,
    at: /(log of a pod whose node is not there|exec without (a command|streams))$/,
    reason: 'The node is looked for later, and named as what it is.',
  },

  // What configuration and nodes may be since 1.20
  {
    difference: /body\.details\.causes: (ours|theirs) alone data\[(%s\]\[)?(username|password|ssh-privatekey)\] \| FieldValueRequired/,
    at: /secrets\.v1/,
    reason: 'Newer releases name the key.',
  },
  {
    difference: /ours alone subsets\[0\]\.addresses\[0\]\.ip \| FieldValueInvalid \| Invalid value: "x": must be a valid IP address$/,
    at: /endpoints\.v1/,
    reason: 'What is no address is said twice, since 1.33 in two texts.',
  },
  {
    difference: /alone (\[\] \| FieldValueForbidden \| Forbidden: node updates may only change|spec\.externalID \| FieldValueForbidden)/,
    at: /nodes\.v1: update/,
    reason: 'Since 1.22 each field says for itself whether it may change.',
  },

  {
    difference: /^(status|body\.\S+): ours /,
    at: /events\.events\.k8s\.io\/v1: update: (reason|the object|note)$/,
    reason: 'Newer releases hold an event against what it was, 1.20 against itself: so it stays what it is.',
  },

  // What volumes and their classes may be since 1.20
  {
    difference: /provisioner \| FieldValueInvalid \| Invalid value: "[Bb]ad [Pp]rovisioner"/,
    at: /storageclasses/,
    reason: 'Newer releases show the name as they compare it, in small letters.',
  },
  {
    difference: /(spec\.drivers|CSINodeDriver) \| FieldValueInvalid \| .*: field is immutable$/,
    at: /csinodes.*: update: a driver$/,
    reason: 'Newer releases name the field.',
  },
  {
    difference: /nodeAffinity \| FieldValueInvalid \| .*: field is immutable/,
    at: /persistentvolumes.*: update: another affinity$/,
    reason: 'Since 1.27 labels of nodes may be replaced by those that took their places.',
  },

  // What services may be since 1.20
  {
    difference: /^headers\.warning: ours "299 - .*spec\.externalIPs is deprecated.*", theirs undefined$/,
    reason: 'Since 1.36 external addresses are deprecated.',
  },
  {
    difference: /^headers\.warning: ours "299 - .*kubernetes\.io\/ingress\.class.* is deprecated.*", theirs undefined$/,
    reason: 'Since 1.22 clients are warned of it.',
  },
  {
    difference: /a DNS-1035 label must consist|a lowercase RFC 1123 label must consist/,
    at: /services\.v1: create with a bad name$|ingresses.*: (a bad service name|update: a bad backend)$/,
    reason: 'Since 1.36 names of services are labels as those of other kinds.',
  },
  {
    difference: /^(status|body\.(message|details|.*)): ours /,
    at: /services\.v1: a name that starts with a number$/,
    reason: 'Since 1.36 names of services may start with a number.',
  },
  { difference: /\.ingress\[0\]\.ipMode: ours "VIP", theirs undefined$/, reason: 'Since 1.29 balancers say how they deliver.' },
  {
    difference:
      /body\.details\.causes: (ours alone status\.loadBalancer\.ingress \| FieldValueForbidden|theirs alone status\.loadBalancer\.ingress\[)/,
    at: /services\.v1: status: a bad (address|name)$/,
    reason: 'Since 1.29 only balanced services have a balancer.',
  },
  { difference: /^(status: ours 422, theirs 201|body\..*: ours )/, at: /services\.v1: a bad address family$/, reason: 'A field of 1.21.' },
  {
    difference: /\.metadata\.generation: ours \d, theirs \d$/,
    at: /endpointslices/,
    reason: 'Since 1.21 a change of labels is a new generation of a slice, for its controllers read them.',
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
