import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Connection } from './database.ts'

/** How often is looked, ms, and after how many changed rows the log is played into the file. */
const everyMs = 1000
const rows = 1000

/**
 * A connection for one play alone: the log goes with the last connection to the file, which is the store's. The second play
 * takes what was written during the first, so that the log begins anew. Text, as a thread cannot be started from a source
 * that is translated, or from a module that is bundled.
 */
const script = `
const { parentPort, workerData } = require('node:worker_threads')
const Database = require(workerData.library)
parentPort.on('message', () => {
  let db
  try {
    db = new Database(workerData.file, { fileMustExist: true, timeout: 0 })
    db.pragma('synchronous = FULL')
    for (let play = 0; play < 2; play += 1) db.pragma('wal_checkpoint(PASSIVE)')
  } catch {
    // The next rows bring the next play.
  } finally {
    db?.close()
    parentPort.postMessage('played')
  }
})
`

/**
 * Plays the write-ahead log of a database into its file in a thread of its own: where the connection that writes does it, all
 * that is asked of the process waits for it, 10 to 20 ms each time. Where the thread cannot, that connection does it after all,
 * at its `wal_autocheckpoint`. The thread is there from the first time that it is needed.
 */
export class LogPlayer implements Disposable {
  readonly #file: string
  readonly #changes: () => number
  readonly #timer: NodeJS.Timeout
  #worker: Worker | null = null
  #plays = false
  #played = 0

  constructor(db: Connection, file: string) {
    const changes = db.prepare<[], number>('SELECT total_changes()').pluck()
    this.#changes = () => changes.get() ?? 0
    this.#file = file
    this.#timer = setInterval(() => this.#look(), everyMs).unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    void this.#worker?.terminate()
  }

  #look(): void {
    const changes = this.#changes()
    if (this.#plays || changes - this.#played < rows) return
    this.#played = changes
    try {
      this.#worker ??= this.#start()
    } catch {
      // There is no thread to be had: the connection that writes plays it, as it does by itself.
      return
    }
    this.#plays = true
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, and no window
    this.#worker.postMessage('play')
  }

  #start(): Worker {
    const library = createRequire(import.meta.url).resolve('better-sqlite3')
    const worker = new Worker(script, {
      eval: true,
      workerData: { file: this.#file, library },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    })
    const ended = (): void => {
      this.#worker = null
      this.#plays = false
    }
    worker.on('message', () => (this.#plays = false))
    worker.on('error', ended)
    worker.on('exit', ended)
    worker.unref()
    return worker
  }
}
