import type { DeepReadonly, ci } from '#api'

/** What the controllers read of a project's repository, the built-in one or a copy of another host's. */
export interface GitSource {
  /** The commit of a revision, a tag, a branch, or of the project's default branch; undefined when the repository has none. */
  resolve(project: DeepReadonly<ci.Project>, ref: { branch?: string; tag?: string; revision?: string }): Promise<GitCommit | undefined>
  /** A file as it was at a revision; undefined when there was none. */
  readFile(project: DeepReadonly<ci.Project>, revision: string, path: string): Promise<string | undefined>
}

export interface GitCommit {
  /** The full hash. */
  revision: string
  /** The first line of its message. */
  subject: string
  /** `Name <mail>`. */
  author: string
}
