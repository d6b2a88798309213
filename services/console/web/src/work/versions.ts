// All that is saved of a statement, page by page.
import type { Statement } from "../gen/alcove/referral/v1/package_pb";

type Page = { statements: Statement[]; nextPageToken: string };

/** Every version, the newest first. */
export async function everyVersion(page: (pageToken: string) => Promise<Page>): Promise<Statement[]> {
  const versions: Statement[] = [];
  let pageToken = "";
  do {
    const next = await page(pageToken);
    versions.push(...next.statements);
    pageToken = next.nextPageToken;
  } while (pageToken);
  return versions;
}
