// What the page asks the server for.

class CommandError extends Error {
  /** @param {{happened: string, advice: string, tone?: string}} error Tone: `away` where that passes by itself. */
  constructor({ happened, advice, tone = "bad" }) {
    super(happened);
    this.happened = happened;
    this.advice = advice;
    this.tone = tone;
  }
}

const KEY = "ghostos-key";

/** What this browser was given, for this address alone, when it was let in; null where it was not. */
export function getKey() {
  return localStorage.getItem(KEY);
}

/**
 * Ask for something, and wait for what comes of it.
 * @param {string} name Of the command.
 * @param {Record<string, unknown>|FormData} facts
 * @returns {Promise<any>}
 * @throws {CommandError} It cannot be done, or the server cannot be reached.
 */
export async function command(name, facts) {
  const isForm = facts instanceof FormData;
  let response;
  try {
    response = await fetch(`/ghostos/do/${name}`, {
      method: "POST",
      body: isForm ? facts : JSON.stringify(facts),
      headers: { "X-GhostOS-Key": getKey() ?? "", ...(isForm ? {} : { "Content-Type": "application/json" }) },
    });
  } catch {
    throw new CommandError({
      happened: "The server cannot be reached.",
      advice: "Do it again once the page is connected.",
      tone: "away",
    });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  if (answer?.error) throw new CommandError(answer.error);
  throw new CommandError({
    happened: response.status === 403 ? "This browser is not let in (any more)." : `The server failed (${response.status}).`,
    advice: response.status === 403 ? "Open the address that ghostos web has printed in its terminal." : "Look at its terminal and its log.",
  });
}
