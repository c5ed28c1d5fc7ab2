package msgraph

// refusal is what an AADSTS error means and what to do about it.
type refusal struct {
	what, todo string
	// passes: asking again may help.
	passes bool
}

// aadsts knows the errors that apps meet (Microsoft Entra, "authentication and
// authorization error codes").
func aadsts(code int) (refusal, bool) {
	known, ok := map[int]refusal{
		7000215: {
			what: "the client secret is wrong",
			todo: "put the secret's value, not its id, into client_secret or its file",
		},
		7000222: {
			what: "the client secret has expired",
			todo: "make a new secret in the app registration (Certificates & secrets) and put it into client_secret or its file",
		},
		7000218: {
			what: "the app has to authenticate with a secret or a certificate",
			todo: "give client_secret_file or client_certificate_file",
		},
		700016: {
			what: "the tenant doesn't know this app",
			todo: "check client_id and tenant_id; an app of another tenant needs the consent of an administrator of this one first",
		},
		7000229: {
			what: "the app has no service principal in the tenant: nobody has consented to it",
			todo: "have an administrator of the tenant grant admin consent to the app",
		},
		65001: {
			what: "consent is missing",
			todo: "have an administrator of the tenant grant admin consent to CallRecords.Read.All",
		},
		7000112: {
			what: "the app is disabled in the tenant",
			todo: "enable sign-in for it under Enterprise applications",
		},
		90002: {
			what: "there is no such tenant",
			todo: "check tenant_id, and cloud: tenants of GCC High and DoD are known in usgov_l4 and usgov_l5 only",
		},
		900021: badTenant(),
		900023: badTenant(),
		50059:  badTenant(),
		90038:  otherCloud(),
		900382: otherCloud(),
		500011: {
			what: "the tenant doesn't know Microsoft Graph under this address",
			todo: "check cloud: it must be the one that the tenant belongs to",
		},
		700027: {
			what: "the certificate isn't one of the app's",
			todo: "upload the certificate to the app registration (Certificates & secrets), or name the file of one that is there and hasn't expired",
		},
		700024: {
			what: "the signed assertion isn't valid at this time",
			todo: "set the machine's clock; with workload_identity, see that the token file is renewed",
		},
		70021:  noFederation(),
		700211: noFederation(),
		700212: noFederation(),
		700213: noFederation(),
		53003: {
			what: "a conditional access policy keeps the app out",
			todo: "exempt the workload identity from the policy, or let the exporter run where the policy allows",
		},
		90033: {
			what:   "the identity platform has a passing fault",
			todo:   "wait: it is asked again",
			passes: true,
		},
	}[code]
	return known, ok
}

func badTenant() refusal {
	return refusal{
		what: "tenant_id isn't the name of a tenant",
		todo: "give the directory (tenant) id from the app registration's overview",
	}
}

func otherCloud() refusal {
	return refusal{
		what: "the tenant belongs to another cloud",
		todo: "set cloud: usgov_l4 is GCC High, usgov_l5 is DoD, all else (GCC too) is global",
	}
}

func noFederation() refusal {
	return refusal{
		what: "no federated credential of the app fits the token in token_file",
		todo: "compare issuer, subject and audience of the app's federated credential with those of the service account",
	}
}
