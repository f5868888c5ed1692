import type { Day } from '../../domain/day.ts'

interface ChartProps {
  readonly title: string
  readonly days: readonly Day[]
  readonly of: (day: Day) => number
  readonly show: (amount: number) => string
}

const [width, height, gap] = [300, 80, 2]

/** A bar for each day; the table beneath says the same in numbers. */
export function Chart({ title, days, of, show }: ChartProps) {
  const most = Math.max(...days.map(of), 0)
  const sum = days.reduce((all, day) => all + of(day), 0)
  const step = width / days.length
  return (
    <figure class="chart">
      <figcaption>
        {title}: {show(sum)} in {days.length} days
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${title} by day, at most ${show(most)} on one`}
        preserveAspectRatio="none"
      >
        {days.map((day, index) => {
          const bar = most === 0 ? 0 : (of(day) / most) * (height - gap)
          return (
            <rect
              key={day.day}
              x={index * step}
              y={height - bar}
              width={Math.max(1, step - gap)}
              height={bar}
            >
              <title>{`${day.day}: ${show(of(day))}`}</title>
            </rect>
          )
        })}
        <line x1={0} x2={width} y1={height} y2={height} />
      </svg>
      <p class="axis" aria-hidden="true">
        <span>{days[0]?.day}</span>
        <span>most: {show(most)}</span>
        <span>{days.at(-1)?.day}</span>
      </p>
      <details>
        <summary>{title} in numbers</summary>
        <table>
          <tbody>
            {days.toReversed().map((day) => (
              <tr key={day.day}>
                <th scope="row">{day.day}</th>
                <td>{show(of(day))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
