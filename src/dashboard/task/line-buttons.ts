/** A line as a change leaves it. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** Where the number of a line after the change stands, as a button or not: in the one table, or in the right one of two. */
export const numbers = '.line-num2, .d2h-file-side-diff:nth-of-type(2) .d2h-code-side-linenumber'

/**
 * Makes the numbers of lines buttons. One of them is in the order of the tab key, and the arrows lead to the others, so that
 * nobody has to go through all lines of a file.
 */
export function withLineButtons(view: ParentNode, press: (line: Line) => void): void {
  const made: HTMLButtonElement[] = []
  for (const place of view.querySelectorAll<HTMLElement>(numbers)) {
    const number = Number(place.textContent)
    if (!Number.isInteger(number) || number < 1) continue
    const text = place.closest('tr')?.querySelector('.d2h-code-line-ctn')?.textContent ?? ''
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'say'
    button.textContent = String(number)
    button.dataset['line'] = String(number)
    button.setAttribute('aria-label', `Comment on line ${number}`)
    button.tabIndex = made.length === 0 ? 0 : -1
    button.addEventListener('click', () => press({ number, text }))
    button.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
      const next = step === 0 ? undefined : made[made.indexOf(button) + step]
      if (next === undefined) return
      event.preventDefault()
      button.tabIndex = -1
      next.tabIndex = 0
      next.focus()
    })
    place.replaceChildren(button)
    made.push(button)
  }
}
