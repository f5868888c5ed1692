// Browsers run this file too: it imports nothing.

const command = /`cofferdam ([^`\n]+)`/g

/**
 * A sentence of the control plane with the commands in it as somebody gives them where it is shown.
 * @param told a command there, by its words behind `cofferdam`; null where it stays as it is
 */
export function retold(text: string, told: (words: string) => string | null): string {
  return text.replaceAll(command, (whole, words: string) => told(words) ?? whole)
}
