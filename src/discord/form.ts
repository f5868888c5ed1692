import { DefaultRestOptions, type RESTOptions } from 'discord.js'

/**
 * Makes a request as the library does, but sends a form, which is how files go, as its bytes. The copy of undici that was
 * loaded first in a process carries the requests of all copies, and the one of `src/client` takes no form but its own.
 */
export const makeRequest: RESTOptions['makeRequest'] = async (url, init) => {
  const { body } = init
  if (!(body instanceof FormData)) return DefaultRestOptions.makeRequest(url, init)
  const form = new Response(body)
  return DefaultRestOptions.makeRequest(url, {
    ...init,
    // Which it gives as a record.
    headers: Object.assign({}, init.headers, { 'content-type': form.headers.get('content-type') }),
    body: new Uint8Array(await form.arrayBuffer()),
  })
}
