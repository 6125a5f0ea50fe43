import { provideHttpClient, withInterceptors } from "@angular/common/http";
import { Component, provideZonelessChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter, RouterOutlet } from "@angular/router";
import { authGuard, authInterceptor, provideAuth } from "countersign/angular";
import { auth } from "./auth";
import { Me } from "./me";

@Component({
  selector: "app-root",
  imports: [RouterOutlet],
  template: `<router-outlet />`,
})
class App {}

bootstrapApplication(App, {
  providers: [
    provideZonelessChangeDetection(),
    provideAuth(auth),
    provideRouter([{ path: "", component: Me, canActivate: [authGuard] }]),
    provideHttpClient(withInterceptors([authInterceptor])),
  ],
}).catch((error) => console.error(error));
