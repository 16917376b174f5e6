/**
 * What was started, stopped in reverse order. Disposing twice is fine; a disposer that throws does not keep the others
 * from running, and the first error is thrown at the end.
 */
export class Teardown implements AsyncDisposable {
  readonly #disposers: (() => unknown)[] = []
  #done: Promise<void> | undefined

  /** Registers a disposer and returns `resource` for chaining. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : (resource as Disposable)[Symbol.dispose]()))
    return resource
  }

  defer(dispose: () => unknown): void {
    this.#disposers.push(dispose)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#done ??= this.#run()
    return this.#done
  }

  async #run(): Promise<void> {
    const errors: unknown[] = []
    for (let dispose = this.#disposers.pop(); dispose; dispose = this.#disposers.pop()) {
      try {
        await dispose()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
