"""The enums of the contract, each with its words. Source: StackOne's published HRIS OpenAPI (August 2026)."""

from connectors.contract import Words

BANK_ACCOUNT_TYPE = Words(
    "BankAccountTypeEnum",
    frozenset(
        """
        savings checking current business personal other unmapped_value
        """.split()
    ),
)

BENEFITS_TYPE = Words(
    "BenefitsTypeEnum",
    frozenset(
        """
        retirement_savings health_savings other health_insurance insurance unmapped_value
        """.split()
    ),
)

CLEARING_CODE_TYPE = Words(
    "ClearingCodeTypeEnum",
    frozenset(
        """
        sort_code building_society_reference aba_routing chips_participant_id transit_number
        institution_number bsb_code ifsc_code micr_code clabe cnaps_code ch_bank_clearing_code
        ch_sic_code zengin_code nz_clearing_code hk_bank_code blz at_bankleitzahl nuban
        se_bankgiro_code unmapped_value
        """.split()
    ),
)

CONTRACT_TYPE = Words(
    "ContractTypeEnum",
    frozenset(
        """
        full_time shifts part_time unmapped_value
        """.split()
    ),
)

COUNTRY_CODE = Words(
    "CountryCodeEnum",
    frozenset(
        """
        AF AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ BA BW BV BR
        IO BN BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG CD CK CR HR CU CW CY CZ CI DK DJ DM
        DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG GN GW
        GY HT HM VA HN HK HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KP KR KW KG LA LV LB LS
        LR LY LI LT LU MO MK MG MW MY MV ML MT MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM NA NR NP
        NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR QA RO RU RW RE BL SH KN
        LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB SO ZA GS SS ES LK SD SR SJ SZ SE CH SY TW
        TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM ZW
        unmapped_value
        """.split()
    ),
)

CURRENCY_CODE = Words(
    "CurrencyCodeEnum",
    frozenset(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
        BYN BZD CAD CDF CHF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
        GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES
        KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
        MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
        RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD
        TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XDR XOF XPF YER ZAR ZMW ZWL unmapped_value
        """.split()
    ),
)

EMPLOYMENT_SCHEDULE_TYPE = Words(
    "EmploymentScheduleTypeEnum",
    frozenset(
        """
        full_time shifts part_time unmapped_value
        """.split()
    ),
)

EMPLOYMENT_STATUS = Words(
    "EmploymentStatusEnum",
    frozenset(
        """
        active pending terminated leave inactive unknown unmapped_value
        """.split()
    ),
)

EMPLOYMENT_TYPE = Words(
    "EmploymentTypeEnum",
    frozenset(
        """
        contractor intern permanent apprentice freelance terminated temporary seasonal volunteer
        probation internal external expatriate employer_of_record casual Programme unmapped_value
        """.split()
    ),
)

ETHNICITY = Words(
    "EthnicityEnum",
    frozenset(
        """
        white black_or_african_american asian hispanic_or_latino american_indian_or_alaska_native
        native_hawaiian_or_pacific_islander two_or_more_races not_disclosed other unmapped_value
        """.split()
    ),
)

GENDER = Words(
    "GenderEnum",
    frozenset(
        """
        male female non_binary other not_disclosed diverse unmapped_value
        """.split()
    ),
)

GROUP_TYPE = Words(
    "GroupTypeEnum",
    frozenset(
        """
        workspace team department group organization unmapped_value cost_center
        """.split()
    ),
)

LANGUAGE = Words(
    "LanguageEnum",
    frozenset(
        """
        ar_AR aa_ER af_NA af_ZA am_ET ar_AE ar_BH ar_DJ ar_DZ ar_EG ar_ER ar_IQ ar_JO ar_KM ar_KW
        ar_LB ar_LY ar_MA ar_MR ar_OM ar_PS ar_QA ar_SA ar_SD ar_SY ar_TD ar_TN ar_YE ay_BO ay_PE
        az_AZ az_IR be_BY bg_BG bi_VU bn_BD bn_IN bs_BA bs-ME byn_ER ca_AD ca_ES ca_FR ca_IT ch_GU
        cs_CZ da_DK de_AT de_BE de_CH de_DE de_LI de_LU de_VA de_MV dv_MV dz_BT el_CY el_GR en_AG
        en_AI en_AS en_AU en_BB en_BE en_BM en_BS en_BW en_BZ en_CA en_CC en_CK en_CM en_CW en_CX
        en_DG en_DM en_ER en_FJ en_FK en_FM en_GB en_GD en_GG en_GH en_GI en_GM en_GS en_GU en_GY
        en_HK en_IE en_IM en_IN en_IO en_JE en_JM en_KE en_KI en_KN en_KY en_LC en_LR en_LS en_MF
        en_MG en_MH en_MO en_MP en_MS en_MT en_MU en_MW en_MY en_NA en_NF en_NG en_NL en_NR en_NU
        en_NZ en_PG en_PH en_PK en_PN en_PR en_PW en_RW en_SB en_SC en_SD en_SG en_SH en_SL en_SS
        en_SX en_SZ en_TC en_TK en_TO en_TT en_TV en_TZ en_UG en_UM en_US en_VC en_VG en_VI en_VU
        en_WS en_ZA en_ZM en_ZW es_AR es_BO es_BZ es_CL es_CO es_CR es_CU es_DO es_EA es_EC es_EH
        es_ES es_GQ es_GT es_HN es_IC es_LA es_MX es_NI es_PA es_PE es_PH es_PR es_PY es_SV es_US
        es_UY es_VE et_EE fa_AF fa_IR fan_GA ff_CM ff_GN ff_MR ff_SN ff_BF fi_FI fj_FJ fo_FO fr_BE
        fr_BF fr_BI fr_BJ fr_BL fr_CA fr_CD fr_CF fr_CG fr_CH fr_CI fr_CM fr_DJ fr_DZ fr_FR fr_GA
        fr_GF fr_GG fr_GN fr_GP fr_GQ fr_HT fr_KM fr_JE fr_LU fr_LB fr_MA fr_MC fr_MF fr_MG fr_ML
        fr_MQ fr_MR fr_MU fr_NC fr_NE fr_PF fr_PM fr_RE fr_RW fr_SC fr_SN fr_SY fr_TD fr_TF fr_TG
        fr_TN fr_VU fr_VA fr_WF fr_YT ga_IE gn_PY gn_AR gu_IN gv_IM he_IL hi_IN hr_BA hr_HR hr_ME
        ht_HT hu_HU hy_AM hy_CY id_ID is_IS it_CH it_IT it_SM it_VA ja_JP ka_GE kg_CD kk_KZ kl_GL
        km_KH ko_KP ko_KR ku_IQ ky_KG la_VA lb_LU ln_AO ln_CD ln_CF ln_CG lo_LA lt_LT lu_CD lv_LV
        mg_MG mh_MH mi_NZ mk_MK mn_MN mr_IN ms_BN ms_MY ms_SG mt_MT my_MM nb_NO nb_BV nb_ZW ne_NP
        nl_AW nl_BE nl_BQ nl_CW nl_NL nl_SR nl_SX nl_MF nn_NO nn_BV no_NO no_BV no_SJ nr_ZA ny_MW
        pa_IN pa_PK pl_PL ps_AF pt_AO pt_BR pt_CH pt_CV pt_GQ pt_GW pt_LU pt_MO pt_MZ pt_PT pt_ST
        pt_TL qu_BO qu_EC qu_PE rar_CK rm_CH rup_MK ro_MD ro_RO ru_BY ru_KG ru_KZ ru_MD ru_RU ru_UA
        ru_AQ ru_TJ ru_TM ru_UZ rw_RW se_SE sg_CF si_LK sk_SK sl_SI sm_AS sm_WS sn_ZW so_DJ so_ET
        so_KE so_SO sq_AL sq_ME sq_XK sr_BA sr_ME sr_RS sr_XK ss_SZ ss_ZA sv_AX sv_FI sv_SE sw_KE
        sw_TZ sw_UG sw_CD ta_IN ta_MY ta_SG ta_LK te_IN tg_TJ th_TH ti_ER ti_ET tig_ER tk_TM tk_AF
        tn_BW tn_ZA to_TO tr_CY tr_TR ts_ZA uk_UA ur_IN ur_PK uz_AF uz_UZ ve_ZA vi_VN xh_ZA zh_CN
        zh_HK zh_MO zh_SG zh_TW zu_ZA unmapped_value
        """.split()
    ),
)

LOCATION_TYPE = Words(
    "LocationTypeEnum",
    frozenset(
        """
        home work unmapped_value
        """.split()
    ),
)

MARITAL_STATUS = Words(
    "MaritalStatusEnum",
    frozenset(
        """
        single married common_law divorced widowed domestic_partnership separated other
        not_disclosed unmapped_value
        """.split()
    ),
)

NATIONAL_IDENTITY_NUMBER_TYPE = Words(
    "NationalIdentityNumberTypeEnumApiModel",
    frozenset(
        """
        ssn nin sin nid pin pn umcn pic ric idnum cid nidnr pan aadhaar epic ptn itin tin uprc pcode
        ssi cedula passport voterid ntin bn fnr mva civil_id cnic nric fin uen registrationnumber
        nic personnummer ahv id eid va pid nrt nipt cbu cuit dni businessid vnr abn acn tfn jmbg bis
        insz nn egn pnf vat cnpj unp gst pst qst ni dic rc uid rut uscc cpf cpj cr stnr svnr ncf rnc
        nif ci ik kmkr registrikood tn ruc nit alv hetu ytunnus vn utr nifp amka cui nir siren siret
        tva oib hkid anum kennitala vsk npwp pps gstin idnr hr aic codicefiscale iva peid asmens pvm
        ctps vrn vtk int tk pas rne rg nci crnm pis insee tax mpf epfo esi pran uan idk bsn mid sss
        nie nss arc curp imss rfc ein other unknown unmapped_value
        """.split()
    ),
)

PAY_FREQUENCY = Words(
    "PayFrequencyEnum",
    frozenset(
        """
        hourly weekly bi_weekly four_weekly semi_monthly monthly bi_monthly quarterly semi_annually
        yearly thirteen_monthly pro_rata unmapped_value half_yearly daily fixed
        """.split()
    ),
)

PAY_PERIOD = Words(
    "PayPeriodEnum",
    frozenset(
        """
        hour day week every_two_weeks month quarter every_six_months year unmapped_value
        """.split()
    ),
)

PREFERRED_LANGUAGE = Words(
    "PreferredLanguageEnum",
    frozenset(
        """
        aar afr amh ara aym aze bel bul bis ben bos byn cat cha ces dan deu div dzo ell eng spa est
        fas fan ful fin fij fao fra gle grn guj glv heb hin hrv hat hun hye ind isl ita jpn kat kon
        kaz kal khm kor kur kir lat ltz lin lao lit lub lav mlg mah mri mkd mon mar msa mlt mya nob
        nep nld nno nor nbl nya pan pol pus por que rar roh rup ron rus kin sme sag sin slk slv smo
        sna som sqi srp ssw swe swa tam tel tgk tha tir tig tuk tsn ton tur tso ukr urd uzb ven vie
        xho zho zul unmapped_value
        """.split()
    ),
)

ROLE_TYPE = Words(
    "RoleTypeEnum",
    frozenset(
        """
        admin viewer editor basic guest unassigned restricted unmapped_value
        """.split()
    ),
)

TYPE = Words(
    "TypeEnum",
    frozenset(
        """
        contractor intern permanent apprentice freelance terminated temporary seasonal volunteer
        probation internal external expatriate employer_of_record casual Programme unmapped_value
        """.split()
    ),
)

WORK_TIME_UNIT = Words(
    "WorkTimeUnitEnum",
    frozenset(
        """
        day week month year unmapped_value
        """.split()
    ),
)
