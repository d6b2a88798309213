// A large file onto the officer's disk. Chromium writes it there chunk by chunk, so that it may be larger than the memory; other browsers
// have no way to, and gather it first.

/** As much of the File System Access API as is used here. */
declare global {
  interface Window {
    showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
  }
  interface FileSystemFileHandle {
    remove?(): Promise<void>;
  }
}

type Chunk = Uint8Array<ArrayBuffer>;

export interface Save {
  /** Nothing of it is on the disk before it is done. */
  inMemory: boolean;
  write(chunk: Chunk): Promise<void>;
  done(): Promise<void>;
  /** What was written so far is thrown away. */
  drop(): Promise<void>;
}

/** It is not the service's fault: the disk is full, or gone. */
export class NotSaved extends Error {}

/** Asks where to. Must be called by a press. Undefined: they thought better of it. */
export async function saveAs(name: string): Promise<Save | undefined> {
  if (!window.showSaveFilePicker) return gathered(name);
  try {
    const file = await window.showSaveFilePicker({ suggestedName: name });
    return onDisk(file, await file.createWritable());
  } catch (error) {
    // Where the browser's policy forbids it, the old way may still be open.
    return error instanceof DOMException && error.name === "AbortError" ? undefined : gathered(name);
  }
}

/** The browser writes beside the file, and puts it in place when it is closed. */
function onDisk(place: FileSystemFileHandle, file: FileSystemWritableFileStream): Save {
  const saved = async (what: Promise<void>) => {
    try {
      await what;
    } catch {
      throw new NotSaved("It can’t be saved there. Is the disk full? Choose another place, and export again.");
    }
  };
  return {
    inMemory: false,
    write: (chunk) => saved(file.write(chunk)),
    done: () => saved(file.close()),
    drop: async () => {
      await file.abort().catch(() => {});
      // The browser has emptied what was chosen: a file of nothing would look like a package.
      await place.remove?.().catch(() => {});
    },
  };
}

function gathered(name: string): Save {
  let chunks: Chunk[] = [];
  return {
    inMemory: true,
    write: async (chunk) => void chunks.push(chunk),
    done: async () => {
      const link = document.createElement("a");
      [link.href, link.download] = [URL.createObjectURL(new Blob(chunks, { type: "application/x-tar" })), name];
      link.click();
      URL.revokeObjectURL(link.href);
    },
    drop: async () => void (chunks = []),
  };
}
