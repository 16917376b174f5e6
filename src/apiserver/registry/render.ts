import type { DeepReadonly, KubeObject } from '#api'
import type { ServedResource } from './registry.ts'
import type { TableColumn, TableDefinition } from './strategy.ts'
import type { View } from './watcher.ts'

const nameAndAge: TableDefinition = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', priority: 0 },
    { name: 'Created At', type: 'date', priority: 0 },
  ],
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp ?? null],
}

export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** Shows objects as rows for printing (meta.k8s.io Table), with `now` in milliseconds for ages. */
export function tableOf(
  served: ServedResource,
  objects: readonly DeepReadonly<KubeObject>[],
  metadata: object,
  options: { metaVersion: string; include: IncludeObject; now: number },
): object {
  const { table = nameAndAge } = served.strategy
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata,
    columnDefinitions: columnsOf(table),
    rows: objects.map((object) => ({ cells: table.cells(object, options.now), ...rowObject(served, object, options) })),
  }
}

const described = new WeakMap<TableDefinition, object[]>()

/** Columns as the wire wants them: every field is there. */
function columnsOf(table: TableDefinition): object[] {
  let columns = described.get(table)
  if (!columns) {
    columns = table.columns.map(({ name, type, format = '', description = '', priority }: TableColumn) => ({
      name,
      type,
      format,
      description,
      priority,
    }))
    described.set(table, columns)
  }
  return columns
}

function rowObject(
  served: ServedResource,
  object: DeepReadonly<KubeObject>,
  { include, metaVersion }: { include: IncludeObject; metaVersion: string },
): object {
  if (include === 'None') return {}
  if (include === 'Object') return { object: served.conversion ? served.conversion.fromStorage(object) : object }
  return { object: partialOf(object, metaVersion) }
}

/** An object's metadata alone. */
export function partialOf(object: DeepReadonly<KubeObject>, metaVersion: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: object.metadata }
}

/** A view whose every object is a Table of one row. Watchers of one second share its frames. */
export function tableView(served: ServedResource, metaVersion: 'v1' | 'v1beta1', include: IncludeObject, now: () => number): View {
  return {
    get name() {
      return `Table ${metaVersion} ${include} ${Math.floor(now() / 1000)}`
    },
    render: (object) => tableOf(served, [object], { resourceVersion: object.metadata.resourceVersion }, { metaVersion, include, now: now() }),
    transient: true,
    kind: 'Table',
    apiVersion: `meta.k8s.io/${metaVersion}`,
  }
}

export function partialView(metaVersion: 'v1' | 'v1beta1'): View {
  return {
    name: `PartialObjectMetadata ${metaVersion}`,
    render: (object) => partialOf(object, metaVersion),
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${metaVersion}`,
  }
}
