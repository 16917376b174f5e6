/** What the command speaks to: a process, or a test. */
export interface DockerIo {
  env: NodeJS.ProcessEnv
  stdin: NodeJS.ReadableStream
  /** Ends a build in good order. */
  signal?: AbortSignal
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
}

export const print = (io: DockerIo, text: string): void => void io.stdout.write(`${text}\n`)
