import type { FieldSet } from '../patch/index.ts'
import type { DeepReadonly, KubeObject, StatusCause } from '#api'
import type { RequestInfo } from '../request-info.ts'

/** What a strategy and an admission plugin may know about a write. */
export interface WriteContext {
  request: RequestInfo
  /** Wall time of the request as RFC 3339 with seconds, as objects carry it. */
  now: string
  dryRun: boolean
  /** Texts for `Warning` headers; absent where nobody would see them. */
  warnings?: string[]
  /** Notes something for the audit log, by upstream's keys; absent where nothing is recorded. */
  annotate?(key: string, value: string): void
  /** The options of the operation, as `CreateOptions` and its kin; absent where the request has none. */
  options?(operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'): object
}

/**
 * What is special about one kind (upstream's RESTCreateStrategy and its siblings). Everything is optional: a kind without a
 * strategy is stored as the schema decodes it. Objects that are passed to be changed are the request's own; `old` is shared and readonly.
 * Generic work is not done here: metadata (uid, timestamps, generation, names), schema decoding, managed fields.
 */
export interface ResourceStrategy<T extends KubeObject = any> {
  /** Fills in defaults of the served version, in place, as upstream's SetDefaults functions do. Must be idempotent. */
  default?(object: T): void
  /** Drops what a create may not set (e.g. status) and fills in what the server owns. */
  prepareForCreate?(object: T, context: WriteContext): void
  /** Restores what an update of the main resource may not touch (e.g. status). */
  prepareForUpdate?(object: T, old: DeepReadonly<T>, context: WriteContext): void
  /** Restores what an update of the status subresource may not touch (everything but status, by default). */
  prepareForStatusUpdate?(object: T, old: DeepReadonly<T>, context: WriteContext): void
  /** What managers of the status are not told to own, as it stays what it was; the spec by default. */
  statusResetFields?: FieldSet
  /**
   * Causes with field paths (`spec.containers[0].image`), worded as upstream's field errors. Empty when valid. `apiVersion` is the one of the request, `old`
   * what an update replaces: what was wrong in it already may be tolerated.
   */
  validate?(object: DeepReadonly<T>, apiVersion?: string, old?: DeepReadonly<T>): StatusCause[]
  /** Beside `validate`, of creates alone. */
  validateCreate?(object: DeepReadonly<T>, apiVersion?: string): StatusCause[]
  validateUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>, apiVersion?: string): StatusCause[]
  /** Of a write to `subresource`: its status, or another part that has no rules of its own. */
  validateStatusUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>, apiVersion?: string, subresource?: string): StatusCause[]
  /**
   * Claims what only one object may have (addresses and ports of services): after prepareFor…, before validation; `old` is
   * undefined for a create. May fill in the object; throws a StatusError when it cannot. The answer must be settled when the write succeeded or
   * failed; undefined when nothing was claimed. Not called for subresources.
   */
  claim?(object: T, old: DeepReadonly<T> | undefined, context: WriteContext): Promise<Claim | undefined>
  /** Gives back what was claimed for an object that is gone. */
  release?(object: DeepReadonly<T>): Promise<void>
  /** Seconds after its last write at which an object is deleted (upstream's --event-ttl). */
  ttl?: number
  /** Texts for `Warning` headers. */
  warnings?(object: DeepReadonly<T>, old?: DeepReadonly<T>): string[]
  /** The same for updates of the status subresource. */
  statusWarnings?(object: DeepReadonly<T>, old: DeepReadonly<T>): string[]
  /** Field-selector fields beside metadata.name and metadata.namespace. */
  selectableFields?(object: DeepReadonly<T>): Record<string, string>
  /** Whether a change of the main resource bumps metadata.generation; by default: whether anything but metadata and status changed. */
  generationChanged?(object: DeepReadonly<T>, old: DeepReadonly<T>): boolean
  /** The grace period in seconds that a delete of this object gets, given what was asked for; 0 or undefined deletes at once. */
  gracePeriodSeconds?(object: DeepReadonly<T>, asked: number | undefined): number | undefined
  /** Propagation when the request (in this version) names none; background by default. */
  defaultPropagation?: 'Orphan' | 'Background' | ((apiVersion: string) => 'Orphan' | 'Background')
  /** A PUT to a name that does not exist creates it (e.g. leases, endpoints, events). */
  allowCreateOnUpdate?: boolean
  /** An update without resourceVersion overwrites; true by default, as for most kinds upstream. */
  allowUnconditionalUpdate?: boolean
  /** A name must be a DNS subdomain by default; others give their own check, which answers messages. `apiVersion` is the one of the request. */
  validateName?(name: string, apiVersion: string): readonly string[]
  /** Finalizers need not be qualified by a domain: upstream checks so only the kinds of its older groups. */
  looseFinalizers?: boolean
  /** The key of selectableFields behind what a served version calls otherwise; undefined where this version does not know the field. */
  fieldLabel?(field: string, apiVersion: string): string | undefined
  /** What a client is told that selects by a field which is not selectable. */
  unknownField?(field: string, apiVersion: string): string | undefined
  /** Columns of `kubectl get`; name and age when absent. */
  table?: TableDefinition<T>
}

/** What a write holds until it is known whether it succeeded. */
export interface Claim {
  settle(written: boolean): Promise<void>
}

/** `kubectl get` columns as the server prints them; `cells` answers one value per column. */
export interface TableDefinition<T extends KubeObject = any> {
  columns: TableColumn[]
  cells(object: DeepReadonly<T>, now: number): (string | number | boolean | null)[]
}

export interface TableColumn {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 is always shown, 1 with `-o wide`. */
  priority: number
}
