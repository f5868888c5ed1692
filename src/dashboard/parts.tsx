import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Standing } from '../domain/standing.ts'
import type { Loaded, Sending } from './hooks.ts'
import type { StreamState } from './stream.ts'
import { agoOf, groupOf, stateOf } from './words.ts'

interface TitleProps {
  readonly children: string
  /** Which part of the page it is, for the window's name; none where it has no parts, or is at the first. */
  readonly part?: string | undefined
}

/** The heading of a page: a reader is led to it, and the window is named by it. */
export function Title({ children, part }: TitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${part === undefined ? '' : `${part} · `}${children} · Cofferdam`
  }, [children, part])
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}

/** The state of a task, told apart by its words and not by its colour alone. */
export function State({ task }: { readonly task: Standing }) {
  return <span class={`state ${groupOf(task).name}`}>{stateOf(task)}</span>
}

export function Moment({ at, now }: { readonly at: number; readonly now: number }) {
  const date = new Date(at)
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {agoOf(at, now)}
    </time>
  )
}

/** Why something was not done, read out when it comes. */
export function Problem({ text }: { readonly text: string | null }) {
  return (
    <p class="problem" role="alert" hidden={text === null}>
      {text}
    </p>
  )
}

/** Why something could not be loaded, and the button that tries it again. */
export function Failed({ text, again }: { readonly text: string; readonly again: () => void }) {
  return (
    <p class="problem" role="alert">
      {text}{' '}
      <button type="button" onClick={again}>
        Try again
      </button>
    </p>
  )
}

interface WaitingProps<T> {
  readonly of: Loaded<T>
  readonly children: (value: T) => ComponentChildren
}

/** What was loaded, or that it is on its way, or why it is not there. */
export function Waiting<T>({ of: { value, error, reload }, children }: WaitingProps<T>) {
  return (
    <>
      {error !== null && <Failed text={error.message} again={reload} />}
      {value === null ? error === null && <p class="faint">Loading…</p> : children(value)}
    </>
  )
}

const told: Readonly<Record<StreamState, string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Reconnecting…',
  over: 'Connecting…',
}

/** Whether what is shown is what is so now. */
export function Liveness({ state }: { readonly state: StreamState }) {
  return (
    <span class={`liveness ${state}`} role="status">
      {told[state]}
    </span>
  )
}

interface SendProps {
  readonly sending: Sending
  readonly children: ComponentChildren
  readonly class?: string | undefined
}

/** The button that sends a form. It stays in reach while that is on its way, so that nobody loses their place. */
export function Send({ sending, children, class: look }: SendProps) {
  return (
    <button type="submit" class={look} aria-disabled={sending.busy}>
      {children}
    </button>
  )
}

/** A form that is sent by code alone. */
export function Form({
  onSend,
  children,
  label,
}: {
  readonly onSend: () => void
  readonly children: ComponentChildren
  readonly label?: string
}) {
  return (
    <form
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault()
        onSend()
      }}
    >
      {children}
    </form>
  )
}

interface TableProps {
  readonly label: string
  readonly head: readonly string[]
  /** The cells of each row, by a key of its own. */
  readonly rows: readonly (readonly [key: string, cells: readonly ComponentChildren[]])[]
}

/**
 * A table; where the window is narrow each row is a card, whose cells are named as their column is. The roles are said
 * again for readers, who would take them from what is no longer laid out as a table.
 */
export function Table({ label, head, rows }: TableProps) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      <table class="rows" role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {head.map((title) => (
              <th key={title} scope="col" role="columnheader">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map(([key, cells]) => (
            <tr key={key} role="row">
              {cells.map((cell, index) => (
                <td key={index} role="cell" data-head={head[index]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
