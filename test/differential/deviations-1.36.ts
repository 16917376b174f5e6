import type { Deviation } from './deviations.ts'

/** Differences from the libraries of 1.36: most are of what they lack that is kube-apiserver's own. */
export const deviations: Deviation[] = [
  // Forms
  { difference: /: ours (undefined|\[\]), theirs null$/, reason: 'Null, absent and empty say the same where a list or a time has to be there.' },

  // What the reference has not
  {
    difference: /^(headers|body)/,
    at: /machinery: path \/apis\/nothing/,
    reason: 'kube-apiserver answers for groups that are not there with its aggregator, a text.',
  },
  { difference: /^body\.paths/, at: /machinery: path /, reason: 'The groups and paths that it serves.' },
  { difference: /\.(columns|cells)\.|^body\.order/, at: /table/, reason: 'Columns of kinds are those of kube-apiserver.' },
  {
    difference: /\(\*core\.ConfigMap(List)?\)", theirs ".*\(\*v1\./,
    reason: 'It works with the versioned types; kube-apiserver with internal ones.',
  },
  { difference: /./, at: /(GET of a binding|DELETE of component statuses|PUT to a subresource that is read)$/, reason: 'It does not serve them.' },
  { difference: /./, at: /DELETE of a collection of namespaces$/, reason: 'kube-apiserver serves namespaces without it.' },
  { difference: /^headers\.warning: ours "299 - .*hides previous definition/, reason: 'Kinds have warnings of their own in kube-apiserver.' },
  { difference: /./, at: /nobody, (health|the version)$/, reason: 'kube-apiserver’s policy lets everybody read them.' },
  { difference: /./, at: /where there is no namespace$/, reason: 'Namespaces are looked for by admission, which it has none of.' },

  {
    difference: /./,
    at: /create: a name (that is too long|with a slash|of dots|in upper case|to generate that is bad)$/,
    reason: 'What names a kind may have is kube-apiserver’s to know.',
  },
  { difference: /metadata\.finalizers/, at: /create: finalizers that are bad$/, reason: 'kube-apiserver checks them by its own rules, each.' },

  // What Debian builds it with
  {
    difference: /./,
    at: /machinery: path \/(api\/v1\/namespaces\/diff-machinery\/configmaps\/(diff-none\/)?|apis?\/)$/,
    reason: 'Debian’s router is of the one release that takes a slash at the end for a name without letters.',
  },
  {
    difference: /./,
    at: /JSON: (an operation that is none|no operation)$/,
    reason: 'Debian builds it with a newer library for JSON patches than kube-apiserver has.',
  },
  {
    difference: /ours .*Unable to remove nonexistent key|(ours|theirs) alone .*nable to remove nonexistent key/,
    at: /policies: mutation patches in every way/,
    reason: 'Debian builds it with a newer library for JSON patches than kube-apiserver has.',
  },

  // Ours
  {
    difference: /./,
    at: /merge: a field twice, strict$/,
    reason: 'Fields that stand twice are looked for in objects and configurations, not in patches.',
  },
  { difference: /./, at: /update a version that is none$/, reason: 'A version that is none is a stale one.' },
  { difference: /./, at: /create: (a uid and times|a negative generation)$/, reason: 'The generation is the server’s.' },
  { difference: /./, at: /machinery: path .*%zz$/, reason: "Go's HTTP server answers before the API server is asked." },
  {
    difference: /^(status|body\.(message|reason|code))/,
    at: /(watch=1&|get \?)resourceVersion=x$/,
    reason: 'A version that is none is the client’s mistake here as it is upstream in a list.',
  },
  {
    difference: /./,
    at: /delete with options of a group$/,
    reason: 'A dry run that is asked for beside a body is one: upstream has deleted the object before.',
  },
  {
    difference: /headers\.warning: ours undefined, theirs "299 - \\"(duplicate field|line 7: key)/,
    reason: 'Fields that stand twice are looked for when a client says what to do with them (kubectl does).',
  },
  {
    difference: /data\.a: ours undefined, theirs "1"$/,
    at: /machinery/,
    reason: 'Of a field that stands twice the last one counts; upstream joins them.',
  },
  { difference: /^body\.message: ours ".*yaml/i, at: /YAML/, reason: 'The parser of YAML says what is wrong in its own words.' },
  {
    difference: /./,
    at: /a number that is too large$/,
    reason: 'A number that does not fit is refused; upstream cuts its upper bits off and stores the rest.',
  },
  {
    difference: /headers\.x-content-type-options: ours undefined/,
    at: /on behalf of a group alone$/,
    reason: 'The header is for texts: the body is JSON.',
  },
  {
    difference: /causes: (ours|theirs) alone patch \| FieldValueInvalid \| Invalid value: "\{/,
    reason: 'The patched object that the cause shows has its fields in another order.',
  },
]
