import { storeContract } from '../../../test/contract/store.ts'
import { memoryStore } from './memory-store.ts'

storeContract('memory', async ({ watchQueue }) => memoryStore({ watchQueue }))
