import type { Diff2HtmlConfig } from 'diff2html'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Mark } from '../../domain/marks/mark.ts'
import type { Comment } from './comments.ts'
import { factsOfDiff, hasLines, isLeftOut, nameInDiff, sizeOfDiff } from './diff-text.ts'
import { type Line, withLineButtons } from './line-buttons.ts'
import { nameText } from '../words.ts'
import { showComments } from './line-comments.ts'

/** Browsers that know Trusted Types let text become markup by a named policy alone, and this is the only one. */
interface TrustedTypes {
  readonly createPolicy: (
    name: string,
    rules: { readonly createHTML: (text: string) => string },
  ) => { readonly createHTML: (text: string) => string }
}

/** The library's, whose enums are not in what browsers load. */
type DiffSettings = Omit<Diff2HtmlConfig, 'colorScheme'> & { readonly colorScheme: 'auto' }

declare global {
  // The library's script puts it there.
  var Diff2Html: { readonly html: (diff: string, settings: DiffSettings) => string } | undefined
  var trustedTypes: TrustedTypes | undefined
}

/** Text is only parsed by it, in a document of its own in which nothing runs and nothing is fetched. */
const policy = globalThis.trustedTypes?.createPolicy('diff', { createHTML: (text) => text })

/** What a diff is shown with. Anything else is left out, whatever the library makes of the names and lines of an agent. */
const elements: ReadonlySet<string> = new Set('DIV SPAN TABLE TBODY TR TD INS DEL'.split(' '))

/** The view of a diff as nodes that have text and classes and nothing else. */
function viewOf(markup: string): DocumentFragment {
  const parsed = new DOMParser().parseFromString(policy?.createHTML(markup) ?? markup, 'text/html')
  const view = document.createDocumentFragment()
  for (const node of parsed.body.childNodes) copy(node, view)
  return view
}

function copy(node: Node, into: Node): void {
  if (node instanceof Text) {
    into.appendChild(document.createTextNode(node.data))
    return
  }
  if (!(node instanceof Element)) return
  const isKnown = elements.has(node.tagName)
  const made = isKnown ? document.createElement(node.tagName) : null
  if (made !== null && node.classList.length > 0) made.className = node.className
  // What is of no known kind is gone, what stands in it is shown.
  for (const child of node.childNodes) copy(child, made ?? into)
  if (made !== null) into.appendChild(made)
}

/** A longer diff of one file is shown as text, and of that so much, characters. */
const longest = 400_000
/** Lines up to this have what differs within them marked, in diffs of a file up to that: the time grows with the square of a line. */
const longestCompared = 400
const mostCompared = 40_000

function textOf(text: string): Node {
  const place = document.createElement('pre')
  place.textContent = text.length > longest ? `${text.slice(0, longest)}\n[…]` : text
  return place
}

/** What scrolls by itself where a diff is shown side by side. */
const sidesOf = (view: DocumentFragment): readonly HTMLElement[] => [
  ...view.querySelectorAll<HTMLElement>('.d2h-file-side-diff'),
]

interface FileDiffProps {
  readonly text: string
  readonly isWide: boolean
  readonly isOpen: boolean
  /** The marks of this file. */
  readonly marks: readonly Mark[]
  /** What is said about this file; none where lines are counted otherwise than in what is reviewed. */
  readonly comments: readonly Comment[]
  /** Says something about a line, or with null about the file; null where nobody can. */
  readonly say: ((path: string, line: Line | null) => void) | null
}

/** A changed file; its lines are made when it is opened. */
export function FileDiff({ text, isWide, isOpen, marks, comments, say }: FileDiffProps) {
  const [open, setOpen] = useState(isOpen)
  const [isSided, setSided] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const name = nameInDiff(text)
  const facts = factsOfDiff(text)
  const shown = nameText(name)
  // A file that becomes a link is taken away and made anew: twice the same name.
  const label = facts.length === 0 ? shown : `${shown} (${facts.join(', ')})`
  const latest = useRef(say)
  latest.current = say
  const canSay = say !== null
  useEffect(() => {
    if (!open) return
    const settings: DiffSettings = {
      drawFileList: false,
      matching: 'lines',
      outputFormat: isWide ? 'side-by-side' : 'line-by-line',
      colorScheme: 'auto',
      // Words are compared with each other, so that two lines of 10,000 characters would hold the page up for seconds.
      maxLineLengthHighlight: text.length > mostCompared ? 0 : longestCompared,
    }
    // The library would call a file that is left out a binary one, and one with another mode or name unchanged.
    const made =
      text.length > longest || !hasLines(text) ? undefined : globalThis.Diff2Html?.html(text, settings)
    const view = made === undefined ? textOf(text) : viewOf(made)
    const press = (line: Line): void => latest.current?.(name, line)
    if (canSay && view instanceof DocumentFragment) withLineButtons(view, press)
    const sides = view instanceof DocumentFragment ? sidesOf(view) : []
    for (const [index, side] of sides.entries()) {
      side.tabIndex = 0
      side.setAttribute('role', 'group')
      side.setAttribute('aria-label', `${label}, ${index === 0 ? 'before' : 'after'} the change`)
    }
    place.current?.replaceChildren(view)
    setSided(sides.length > 0)
  }, [open, text, isWide, canSay, name, label])
  const about = JSON.stringify(comments)
  useEffect(() => {
    if (open && place.current !== null) showComments(place.current, comments)
  }, [open, text, isWide, canSay, about])
  const { added, removed } = sizeOfDiff(text)
  const whole = comments.filter(({ line }) => line === null)
  return (
    <details class="file" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code>{shown}</code>
        {facts.length > 0 && <span class="faint"> {facts.join(', ')}</span>}
        {isLeftOut(text) && <span class="mark warning"> not shown</span>}
        {hasLines(text) && (
          <>
            {' '}
            <span class="good">+{added}</span> <span class="bad">−{removed}</span>
          </>
        )}
        {marks.length > 0 && <span class="mark warning"> wants a look</span>}
        {comments.length > 0 && (
          <span> {comments.length === 1 ? '1 comment' : `${comments.length} comments`}</span>
        )}
      </summary>
      {marks.length > 0 && (
        <ul class="reasons">
          {marks.map(({ rule, text: why }) => (
            <li key={`${rule} ${why}`}>{why}</li>
          ))}
        </ul>
      )}
      {whole.map(({ by, text: words }, index) => (
        <p key={index} class="said words">
          <strong>{by}:</strong> {words}
        </p>
      ))}
      {say !== null && (
        <p class="reasons">
          <button type="button" onClick={() => say(name, null)} aria-label={`Comment on the file ${label}`}>
            Comment on the file
          </button>
        </p>
      )}
      {/* The keyboard goes to what scrolls: to each of two sides where there are any. */}
      <div
        class="diff"
        ref={place}
        tabIndex={isSided ? undefined : 0}
        role="region"
        aria-label={`Changes of ${label}`}
      />
    </details>
  )
}
