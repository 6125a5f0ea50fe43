// The React application of the tests: pages by their path, a client that it is given, and nothing else.

import * as React from "react";
import { AuthProvider, RequireAuth, useAuth } from "countersign/react";

/** `setup` says what is different from the ten lines of the documentation. */
export function App({ auth, setup = {}, path }) {
  return (
    <Boundary>
      {path === "/alone" ? (
        <Status />
      ) : (
        <AuthProvider auth={auth}>
          <Status />
          <Page auth={auth} setup={setup} path={path} />
        </AuthProvider>
      )}
    </Boundary>
  );
}

function Page({ auth, setup, path }) {
  if (path === "/") return <main>home</main>;
  if (path === "/suspense")
    return (
      <React.Suspense fallback={<main>suspended</main>}>
        <Settled auth={auth} />
      </React.Suspense>
    );
  if (path === "/twice")
    return (
      <>
        <Guarded setup={setup} />
        <Guarded setup={setup} />
      </>
    );
  return <Guarded setup={setup} />;
}

function Guarded({ setup: { bare, login } }) {
  const shown = !bare && {
    signedOut: <SignedOut />,
    error: ({ code, hint }) => (
      <main>
        error: {code}
        <p>{hint}</p>
      </main>
    ),
  };
  return (
    <RequireAuth fallback={<main>fallback</main>} login={login} {...shown}>
      <Members />
    </RequireAuth>
  );
}

function SignedOut() {
  const { login } = useAuth();
  return (
    <main>
      signed out
      <button onClick={() => login()}>sign in</button>
    </main>
  );
}

function Members() {
  const { status, user, logout } = useAuth();
  return (
    <main>
      {status === "signedIn" ? `member: ${user.sub}` : "nobody"}
      <button onClick={() => logout()}>log out</button>
    </main>
  );
}

function Status() {
  const now = useAuth();
  const seen = React.useRef(new Set());
  seen.current.add(now.login);
  return (
    <header data-actions={seen.current.size}>
      {now.status === "signedOut" ? now.reason : now.status}
    </header>
  );
}

function Settled({ auth }) {
  const { status } = React.use(auth.ready);
  return <main>settled: {status}</main>;
}

class Boundary extends React.Component {
  state = { error: null };
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const { code, details } = error;
    return (
      <main>
        boundary: {code} {details?.option}
      </main>
    );
  }
}
