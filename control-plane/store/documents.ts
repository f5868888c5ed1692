import type { Connection } from './database.ts'
import type { Codec } from './rows.ts'

/** How many documents are remembered before all are forgotten; each has a few kilobytes, 16 at most. */
const most = 100

/**
 * Large values that many writes of a row leave as they are, each stored once: a policy has 1.6 kB, a box spec several, what
 * failed on the base or in the last test up to 16 each. A row has the document's id in their place, so that a transition
 * does not write them again. With the tasks that are remembered as they were last written (`tasks.ts`), so that only what
 * has changed is written, this takes a transition from 0.90 to 0.48 ms in the benchmark. A document is never removed, not
 * even with the task that it belongs to: tasks and their events stay on record, too.
 */
export interface Documents extends Codec {
  /** To be called when a transaction was taken back: what it had stored is not there. */
  forget(): void
}

/** The statements on `documents`: rows are only ever added. */
export function documentsTable(db: Connection): Documents {
  const insert = db.prepare<[string]>('INSERT INTO documents (json) VALUES (?)')
  const one = db.prepare<[number], string>('SELECT json FROM documents WHERE id = ?').pluck()
  let ids = new WeakMap<object, number>()
  const idsByJson = new Map<string, number>()
  const contents = new Map<number, unknown>()

  const remember = (id: number, json: string, content: unknown): void => {
    if (contents.size >= most) {
      contents.clear()
      idsByJson.clear()
    }
    contents.set(id, content)
    idsByJson.set(json, id)
  }

  return {
    toCell(content) {
      if (content === null) return null
      const known = typeof content === 'object' ? ids.get(content) : undefined
      if (known !== undefined) return known
      const text = JSON.stringify(content)
      const id = idsByJson.get(text) ?? Number(insert.run(text).lastInsertRowid)
      if (typeof content === 'object') ids.set(content, id)
      remember(id, text, content)
      return id
    },

    toContent(cell) {
      if (typeof cell !== 'number') return null
      if (contents.has(cell)) return contents.get(cell)
      const text = one.get(cell)
      if (text === undefined) return undefined
      const content: unknown = JSON.parse(text)
      remember(cell, text, content)
      return content
    },

    parsed(content, cell) {
      if (typeof content === 'object' && content !== null && typeof cell === 'number') ids.set(content, cell)
    },

    forget() {
      ids = new WeakMap()
      idsByJson.clear()
      contents.clear()
    },
  }
}
