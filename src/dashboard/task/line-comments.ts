import type { Comment } from './comments.ts'
import { numbers } from './line-buttons.ts'

const right = '.d2h-file-side-diff:nth-of-type(2) tr'

/** Puts what was said under the lines it is about, in the place of what stood there before. Text is put in as text. */
export function showComments(view: ParentNode, comments: readonly Comment[]): void {
  for (const row of view.querySelectorAll('tr.said')) row.remove()
  const left = [...view.querySelectorAll('.d2h-file-side-diff:nth-of-type(1) tr')]
  const sides = [...view.querySelectorAll(right)]
  // They stand there for who may only look, too, and once nothing can be said any more.
  for (const place of view.querySelectorAll(numbers)) {
    const mine = comments.filter(({ line }) => String(line) === place.textContent?.trim())
    const row = place.closest('tr')
    if (row === null || mine.length === 0) continue
    row.after(rowOf(mine))
    // The other side gets as much room, so that lines stand beside each other further on.
    const beside = left[sides.indexOf(row)]
    if (beside === undefined) continue
    const room = rowOf(mine)
    room.classList.add('room')
    room.setAttribute('aria-hidden', 'true')
    beside.after(room)
  }
}

function rowOf(comments: readonly Comment[]): HTMLTableRowElement {
  const row = document.createElement('tr')
  row.className = 'said'
  const cell = document.createElement('td')
  cell.colSpan = 2
  for (const { by, text } of comments) {
    const place = document.createElement('p')
    const who = document.createElement('strong')
    who.textContent = `${by}: `
    place.append(who, text)
    cell.append(place)
  }
  row.append(cell)
  return row
}
