/** What a build reports while it runs. */
export type BuildEvent =
  /** Something that goes before the steps, e.g. a base image that is made. */
  | { type: 'note'; text: string }
  | { type: 'step'; index: number; total: number; text: string }
  /** Of the step's command. */
  | { type: 'output'; line: string }
  | { type: 'stepDone'; index: number; total: number; text: string; cached: boolean; milliseconds: number }

export type Report = (event: BuildEvent) => void

export interface StepPlan {
  text: string
  line: number
  hidden: boolean
}

/** Where buildah is: a value that its output lines move on. */
export interface StepReader {
  /** Takes a line that buildah wrote. */
  line(text: string): void
  /** The last step went well. */
  end(): void
  /** The step that runs, with what it printed: what a failure is about. */
  current(): { step: StepPlan | undefined; output: readonly string[] }
}

/** Lines that buildah writes about itself between the output of commands. */
const noise =
  /^(--> [0-9a-f]{6,}$|COMMIT\b|Successfully tagged |[0-9a-f]{64}$|subprocess exited with status|Getting image source|Copying (blob|config)|Writing manifest|Storing signatures|\[Warning\] one or more build args)/

/** Kept for the message of a failure. */
const keptLines = 200

/** Reads buildah's output (`[stage/stages] STEP 2/5: RUN …`, `--> Using cache …`) and reports the user's steps, numbered over all stages. */
export function stepReader(stages: readonly (readonly StepPlan[])[], report: Report, monotonic: () => number): StepReader {
  const visible = stages.flat().filter((step) => !step.hidden)
  let step: StepPlan | undefined
  let output: string[] = []
  let started = 0
  let cached = false
  let failed = false
  const place = () => ({ index: visible.indexOf(step!) + 1, total: visible.length, text: step!.text })
  const finish = () => {
    if (step && !step.hidden) report({ type: 'stepDone', ...place(), cached, milliseconds: monotonic() - started })
    step = undefined
  }
  return {
    line(raw) {
      // what stands before a carriage return was written over
      const text = raw.replace(/\r+$/, '').replace(/^[^]*\r/, '')
      // the last thing that buildah says; the step's text in it may have several lines
      failed ||= text.startsWith('Error: building at STEP "')
      if (failed) return
      const begun = /^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/\d+: /.exec(text)
      if (begun) {
        finish()
        step = stages[Number(begun[1] ?? 1) - 1]?.[Number(begun[2]) - 1]
        output = []
        cached = false
        started = monotonic()
        if (step && !step.hidden) report({ type: 'step', ...place() })
      } else if (text.startsWith('--> Using cache ')) cached = true
      else if (!noise.test(text) && text !== '') {
        output = [...output.slice(1 - keptLines), text]
        if (step && !step.hidden) report({ type: 'output', line: text })
      }
    },
    end: finish,
    current: () => ({ step, output }),
  }
}
