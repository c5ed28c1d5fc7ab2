package msgraph

// refusal is the meaning of an AADSTS error and what to do about it.
type refusal struct{ what, todo string }

// passingFault is the error of the identity platform for which asking again helps.
const passingFault = 90033

var (
	badTenant = refusal{
		what: "tenant_id isn't the name of a tenant",
		todo: "give the directory (tenant) id from the app registration's overview",
	}
	otherCloud = refusal{
		what: "the tenant belongs to another cloud",
		todo: "set cloud: usgov_l4 is GCC High, usgov_l5 is DoD, all else (GCC too) is global",
	}
	noFederation = refusal{
		what: "no federated credential of the app fits the token in token_file",
		todo: "compare issuer, subject and audience of the app's federated credential with those of the service account",
	}
)

// refusals are the AADSTS errors that apps meet (Microsoft Entra, "authentication and authorization error codes").
var refusals = map[int]refusal{
	7000215: {"the client secret is wrong", "put the secret's value, not its id, into client_secret or its file"},
	7000222: {
		"the client secret has expired",
		"make a new secret in the app registration (Certificates & secrets) and put it into client_secret or its file",
	},
	7000218: {"the app has to authenticate with a secret or a certificate", "give client_secret_file or client_certificate_file"},
	700016: {
		"the tenant doesn't know this app",
		"check client_id and tenant_id; an app of another tenant needs the consent of an administrator of this one first",
	},
	7000229: {
		"the app has no service principal in the tenant: nobody has consented to it",
		"have an administrator of the tenant grant admin consent to the app",
	},
	65001:   {"consent is missing", "have an administrator of the tenant grant admin consent to CallRecords.Read.All"},
	7000112: {"the app is disabled in the tenant", "enable sign-in for it under Enterprise applications"},
	90002:   {"there is no such tenant", "check tenant_id, and cloud: tenants of GCC High and DoD are known in usgov_l4 and usgov_l5 only"},
	500011:  {"the tenant doesn't know Microsoft Graph under this address", "check cloud: it must be the one that the tenant belongs to"},
	700027: {
		"the certificate isn't one of the app's",
		"upload the certificate to the app registration (Certificates & secrets), or name the file of one that is there and hasn't expired",
	},
	700024: {
		"the signed assertion isn't valid at this time",
		"set the machine's clock; with workload_identity, see that the token file is renewed",
	},
	53003: {
		"a conditional access policy keeps the app out",
		"exempt the workload identity from the policy, or let the exporter run where the policy allows",
	},
	passingFault: {"the identity platform has a passing fault", "wait: it is asked again"},
	900021:       badTenant,
	900023:       badTenant,
	50059:        badTenant,
	90038:        otherCloud,
	900382:       otherCloud,
	70021:        noFederation,
	700211:       noFederation,
	700212:       noFederation,
	700213:       noFederation,
}
