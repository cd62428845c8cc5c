/** What the kernel says of a process and of all that it started. Linux only. */

/** Resident memory now, in MiB. */
export function residentMiB(pid: number): number {
  return sum(pid, (id) => field(id, "VmRSS"));
}

/** Processor time used so far, user and system, in milliseconds. In steps of 10. */
export function cpuMs(pid: number): number {
  return sum(pid, (id) => {
    const [utime, stime] = stat(id).slice(11, 13).map(Number);
    return ((utime ?? 0) + (stime ?? 0)) * 10;
  });
}

/** The most memory that a process has had at any time, in MiB; 0 once it is over. */
export function peakMiB(pid: number): number {
  return field(pid, "VmHWM");
}

function sum(pid: number, value: (pid: number) => number): number {
  let total = value(pid);
  for (const child of childrenOf(pid)) total += sum(child, value);
  return total;
}

function childrenOf(pid: number): readonly number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (/^\d+$/.test(name) && Number(stat(Number(name))[1]) === pid) children.push(Number(name));
  }
  return children;
}

/** The fields of `/proc/<pid>/stat` after the name, which may have spaces: state, parent, … */
function stat(pid: number): readonly string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function field(pid: number, name: string): number {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(read(`/proc/${pid}/status`)) ??
    [];
  return Number(kib ?? 0) / 1024;
}

/** The empty text for a process that is gone. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
