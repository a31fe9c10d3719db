/** The whole body as text. */
export async function readBody(incoming) {
    const chunks = [];
    for await (const chunk of incoming)
        chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
}
