import { startReference } from './test/differential/cel/reference.ts'
import { ours } from './test/differential/cel/ours.ts'
import { variables } from './test/differential/cel/variables.ts'
import { environment as _e } from './test/differential/cel/ours.ts'
