import type { TableColumn } from '../strategy.ts'

/** A column that is always shown. */
export function column(name: string, type: TableColumn['type'] = 'string', format = ''): TableColumn {
  return { name, type, format, priority: 0 }
}

/** A column that `-o wide` adds. */
export function wide(name: string, type: TableColumn['type'] = 'string', format = ''): TableColumn {
  return { name, type, format, priority: 1 }
}

export const nameColumn = column('Name', 'string', 'name')
export const ageColumn = column('Age')
