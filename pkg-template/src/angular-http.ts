// The interceptor for Angular's HttpClient.

import {
  HttpParams,
  type HttpErrorResponse,
  type HttpInterceptorFn,
} from "@angular/common/http";
import { catchError, defer, finalize, from, switchMap } from "rxjs";
import { AUTH, injected } from "./angular-client.js";
import type { AccessTokenOptions, AnyAuthError, Auth } from "./types.js";

/** Sends the access token to the origins that `auth.fetch` sends it to, with one retry after a refused token. Everything else passes as it is, and so does all while nobody is signed in. */
export const authInterceptor: HttpInterceptorFn = (request, next) => {
  const auth = injected(AUTH);
  const { body, method, urlWithParams } = request;
  if (typeof window === "undefined" || method === "JSONP") return next(request);
  return defer(() => {
    const end = new AbortController();
    const authorize = (url: string, options?: AccessTokenOptions) =>
      auth.authorize(url, { signal: end.signal, ...options });
    // To exactly the URL that was checked.
    const send = ({ url, headers }: Request) => {
      const setHeaders = { Authorization: headers.get("Authorization") ?? "" };
      return next(request.clone({ url, params: new HttpParams(), setHeaders }));
    };
    const again = async (sent: Request, failure: unknown) => {
      const { status, headers } = failure as Partial<HttpErrorResponse>;
      // A stream can be read once.
      if (status !== 401 || body instanceof ReadableStream) throw failure;
      const challenge = headers?.get("WWW-Authenticate") ?? null;
      const refused = tokenOf(sent);
      const fresh = await authorize(sent.url, { refused, challenge });
      if (tokenOf(fresh) === refused) throw failure;
      return fresh;
    };
    const sendTwice = (sent: Request) =>
      send(sent).pipe(
        catchError((failure: unknown) =>
          from(again(sent, failure)).pipe(switchMap(send)),
        ),
      );
    return from(authorize(urlWithParams).catch(unauthorized(auth))).pipe(
      switchMap((sent) => (sent ? sendTwice(sent) : next(request))),
      finalize(() => end.abort()),
    );
  });
};

function tokenOf({ headers }: Request): string {
  return (headers.get("Authorization") ?? "").replace("Bearer ", "");
}

/** What is not for us to authorize: another origin's, nobody's, or a URL that only a browser's own request takes, with user info in it. */
const unauthorized =
  (auth: Auth<unknown>) =>
  (error: unknown): null => {
    const { code } = error as Partial<AnyAuthError>;
    const passes = code === "forbidden_origin" || error instanceof TypeError;
    // Whatever it is that keeps a session from being found, such as a policy that blocks the wasm side.
    if (passes || auth.state.status !== "signedIn") return null;
    throw error;
  };
