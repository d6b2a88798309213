// Which of the caller's pictures is on screen, by the RTP timestamp that their phone gave it and that the recording knows it by.

export interface Shown {
  participantId: string;
  rtpTimestamp: number;
}

let shown: Shown | undefined;

/** Follows a video for as long as the page lives; whose it is, is in its `data-participant`. */
export function follow(video: HTMLVideoElement): void {
  // Without it there is nothing to say by, and no still can be taken.
  if (!("requestVideoFrameCallback" in video)) return;
  const next: VideoFrameRequestCallback = (_now, { rtpTimestamp }) => {
    const participantId = video.dataset.participant ?? "";
    shown = participantId !== "" && rtpTimestamp !== undefined ? { participantId, rtpTimestamp } : undefined;
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  video.addEventListener("emptied", () => (shown = undefined));
}

/** The newest one, if there is one. */
export function onScreen(): Shown | undefined {
  return shown;
}
