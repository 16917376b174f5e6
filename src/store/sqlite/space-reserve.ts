import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs'

/** Space on a disk that is taken before it is needed, so that a full disk can still be written to a little. */
export interface SpaceReserve {
  /** Whether the space is taken, now or since before. */
  take(): boolean
  release(): void
}

export function spaceReserve(path: string, bytes: number): SpaceReserve {
  const release = () => rmSync(path, { force: true })
  return {
    take() {
      if (existsSync(path) && statSync(path).size === bytes) return true
      try {
        const file = openSync(path, 'w', 0o600)
        try {
          // a file with a hole in it would reserve nothing
          const zeros = Buffer.alloc(1 << 16)
          for (let left = bytes; left > 0;) left -= writeSync(file, zeros, 0, Math.min(left, zeros.length))
        } finally {
          closeSync(file)
        }
        return true
      } catch {
        release()
        return false
      }
    },
    release,
  }
}
