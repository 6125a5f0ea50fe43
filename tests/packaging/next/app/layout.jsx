import { Session } from "./session.jsx";

export default function RootLayout({ children }) {
  return (
    <html lang="en">
      <head>
        <link rel="icon" href="data:," />
      </head>
      <body>
        <Session>{children}</Session>
      </body>
    </html>
  );
}
