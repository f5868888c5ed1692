import { readdir } from 'node:fs/promises'
import { isErrno } from './files.ts'
import { at, type TaskLayout } from './layout.ts'
import { removeFolder } from './throw-away.ts'

/** Removes the locks and unfinished files that a killed process left in a task's private folder. */
export async function unlock({ privateFolder }: TaskLayout): Promise<void> {
  try {
    for (const name of await readdir(privateFolder)) {
      if (name.endsWith('.lock') || name.endsWith('.new')) await removeFolder(at(privateFolder, name))
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
