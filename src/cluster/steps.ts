import type { ListrTask } from 'listr2'
import { Listr, PRESET_TIMER } from 'listr2'

/** Runs steps in order and prints each with its time: a ticked list on a terminal, plain lines otherwise. The first failure ends it. */
export async function steps(tasks: ListrTask[], { silent = false } = {}): Promise<void> {
  await new Listr(tasks, {
    silentRendererCondition: silent,
    rendererOptions: { timer: PRESET_TIMER, collapseErrors: false },
    fallbackRendererOptions: { timer: PRESET_TIMER },
    fallbackRenderer: 'simple',
    exitOnError: true,
  }).run()
}
