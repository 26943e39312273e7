/** One line for what was pushed, whichever style pushed it. */

export function tell(frame) {
  if ("tick" in frame) return `tick ${frame.tick} at ${clock(frame.time)}`;
  if ("home" in frame) {
    const note = frame.note ? ` · ${frame.note}` : "";
    return `${frame.home} v ${frame.away}: ${frame.runs}/${frame.wickets} (${frame.overs})${note}`;
  }
  if ("object" in frame) return `${clock(frame.timestamp)} ${frame.user}: ${frame.object}. ${frame.message}`;
  if ("user" in frame) return `waiting for changes that ${frame.user} may see`;
  return JSON.stringify(frame);
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
