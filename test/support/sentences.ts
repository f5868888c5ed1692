import { readFileSync } from 'node:fs'
import ts from 'typescript'

/** What stands in a text for a value that is put in. */
const anything = '…'

/** A text of a source file, put together from its parts, with `…` for what is put in. */
export interface Sentence {
  readonly text: string
  /** The name of the function that it is the argument of, such as `warn` of `log.warn(…)`; empty where it is none. */
  readonly of: string
}

/** Every text of a source file of two words or more. */
export function sentencesIn(file: string): readonly Sentence[] {
  const found: Sentence[] = []
  const visit = (node: ts.Node): void => {
    const text = textOf(node)
    if (text === null) {
      ts.forEachChild(node, visit)
      return
    }
    if (wordsIn(text) >= 2) found.push({ text, of: calledWith(node) })
    if (ts.isTemplateExpression(node)) for (const { expression } of node.templateSpans) visit(expression)
  }
  const source = readFileSync(file, 'utf8')
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
  return found
}

/** How many words of letters a text has. */
export function wordsIn(text: string): number {
  return text.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length
}

/** A text and what is added to it; null where a node is neither. */
function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => anything + literal.text).join('')
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return null
  const [left, right] = [textOf(node.left), textOf(node.right)]
  return left === null && right === null ? null : (left ?? anything) + (right ?? anything)
}

function calledWith(node: ts.Node): string {
  for (let { parent } = node; parent !== undefined; parent = parent.parent) {
    if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) continue
    const { expression } = parent
    return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText()
  }
  return ''
}
