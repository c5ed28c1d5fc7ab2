package ringcentral

import "net/http"

// What to do, where several errors have the same remedy.
const (
	sessionsTodo = "let no other program use the same app and user: RingCentral ends the oldest of about five sessions; " +
		"give each its own app, and run one exporter with this one"
	clientTodo = "copy client_id and client_secret from the app's credentials in the Developer Console; " +
		"they are those of the environment that base_url names"
	grantTodo = "in the Developer Console, open the app's settings and choose JWT auth flow; an app that was made for another flow may need to be made anew"
	jwtTodo   = "make a JWT credential in the Developer Console (Credentials, of the user whose calls are read, or of an administrator), " +
		"for all apps or for this one, and put it into jwt or its file"
)

// appPermissionTodo says how to grant a permission to the app.
func appPermissionTodo(permission string) string {
	return "in the Developer Console, add " + permission + " to the app's permissions (Settings, Security); tokens have it from the next one on"
}

// userPermissionTodo says how to grant a permission to the user.
func userPermissionTodo(permission string) string {
	return "in the Admin Portal, give the user of the JWT a role with " + permission +
		" (Users, Roles; for the log of the whole account it is part of Super Admin), or set scope: extension to read this user's calls only"
}

// meaning is what an error of the token endpoint means and what to do about it, by its
// codes; empty if they say nothing that is known (RingCentral, "Error codes").
func meaning(status int, said says) (what, todo string) {
	switch said.code {
	case "OAU-112", "OAU-125":
		return "the app isn't allowed the JWT grant", grantTodo
	case "OAU-146", "OAU-153":
		return "RingCentral doesn't know the app, or its secret is wrong", clientTodo
	case "OAU-147":
		return "RingCentral has locked the user or the app", "unlock the user in the Admin Portal, or ask RingCentral's support"
	case "OAU-128":
		return "the JWT has expired", jwtTodo
	case "OAU-129", "OAU-149":
		return "the JWT is broken", jwtTodo
	}
	switch said.name {
	case "invalid_client":
		return "RingCentral doesn't know the app, or its secret is wrong", clientTodo
	case "unauthorized_client", "unsupported_grant_type":
		return "the app isn't allowed the JWT grant", grantTodo
	case "invalid_grant":
		return "RingCentral doesn't take the JWT: it has expired, was revoked, or is for other apps or another environment", jwtTodo
	case "invalid_scope":
		return "the app lacks a permission", appPermissionTodo("ReadCallLog")
	}
	if status == http.StatusForbidden && said.permission != "" {
		return "the app lacks the permission " + said.permission, appPermissionTodo(said.permission)
	}
	return "", ""
}
