/** Levels of arrays and objects that JSON from outside may have. What OpenID Connect knows has four. */
const deepest = 32;

/** Whether JSON has more levels than anything needs. What walks through them level by level would run out of stack. */
export function isNestedTooDeep(json: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') quoted = !quoted;
    else if (quoted) at += char === '\\' ? 1 : 0;
    else if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
